"""The hashes, the chain and the signatures of the audit log. `docs/operations.md` describes them."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from shared.bus.nkey_signatures import is_signed_with
from shared.contracts.audit_log import Act, Seal

NO_FORMER = "0" * 64
"""The field `former` of the first seal."""


def form_of(act: Act) -> str:
    """The form of an entry that is hashed: all fields except the number of its seal."""
    return _form(act.model_dump(exclude={"seal"}))


def lines_of(acts: Iterable[Act]) -> str:
    """One line for each entry: its id and the SHA-256 of its form."""
    return "".join(f"{act.id} {sha256(form_of(act))}\n" for act in acts)


def statement_of(seal: Seal, service: str, country: str) -> str:
    """The form of a seal that is hashed and signed. It has the hash of the lines in place of the lines."""
    return _form(seal.model_dump(exclude={"sealed", "signature"}) | {"service": service, "country": country})


def is_signed(seal: Seal, statement: str) -> bool:
    """Whether the signature is valid for the key that the seal names."""
    try:
        signature = bytes.fromhex(seal.signature)
    except ValueError:
        return False
    return is_signed_with(seal.key, signature, statement.encode())


def sha256(text: str) -> str:
    """The SHA-256 of a text in UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _form(fields: dict[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_text)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return str(value)
