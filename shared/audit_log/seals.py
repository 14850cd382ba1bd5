"""What is hashed, chained and signed of the trail: `docs/operations.md` says it in words, for who computes it again."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from shared.contracts.audit_log import Act, Seal
from shared.bus.nkey_signatures import is_signed_with

NO_FORMER = "0" * 64
"""What the first seal names as the former one."""


def form_of(act: Act) -> str:
    """An act as it is hashed: everything but the number of its seal."""
    return _form(act.model_dump(exclude={"seal"}))


def lines_of(acts: Iterable[Act]) -> str:
    """A line for each act: its id and the SHA-256 of its form."""
    return "".join(f"{act.id} {sha256(form_of(act))}\n" for act in acts)


def statement_of(seal: Seal, service: str, country: str) -> str:
    """A seal as it is hashed and signed: all that it says but the lines, for which their hash stands."""
    return _form(seal.model_dump(exclude={"sealed", "signature"}) | {"service": service, "country": country})


def is_signed(seal: Seal, statement: str) -> bool:
    """Whether the signature is that of the key the seal names."""
    try:
        signature = bytes.fromhex(seal.signature)
    except ValueError:
        return False
    return is_signed_with(seal.key, signature, statement.encode())


def sha256(text: str) -> str:
    """The hash of a text in UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _form(fields: dict[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_text)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return str(value)
