"""The keys that tokens are signed with: one at a time signs, and those before and after it are known to everybody.

The file is a JWK set (RFC 7517). Each key says from when it signs and until when its tokens are valid, in the members
`signs_from` and `valid_until`; a file with a single JWK has one key that signs from the beginning.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from joserfc.jwk import OKPKey

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
VALID = timedelta(days=400)
"""How long a key is valid that does not say: a year, and time to change it."""


@dataclass(frozen=True)
class SigningKey:
    """A key, from when it signs, and until when its tokens are valid."""

    key: OKPKey
    signs_from: datetime = BEGINNING
    valid_until: datetime | None = None


class SigningKeys:
    """Every key that was, is and will be."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys = keys

    @classmethod
    def of(cls, key: OKPKey) -> Self:
        """One key that signs from the beginning."""
        return cls(SigningKey(key))

    @classmethod
    def read(cls, file: Path) -> Self:
        """What stands in a file. Raises ValueError where it is no key and no set of keys."""
        content: dict[str, Any] = json.loads(file.read_text())
        return cls(*map(_key_of, content.get("keys", [content])))

    def at(self, now: datetime) -> OKPKey:
        """The key that signs at this instant: of those that may, the newest. Raises ValueError where there is none."""
        may = [each for each in self.keys if each.signs_from <= now and (each.valid_until is None or now < each.valid_until)]
        if not may:
            raise ValueError("no key may sign now: see `co secrets rotate-token-key`")
        return max(may, key=lambda each: each.signs_from).key


def _key_of(member: dict[str, Any]) -> SigningKey:
    jwk = {name: value for name, value in member.items() if name not in ("signs_from", "valid_until")}
    signs_from, valid_until = member.get("signs_from"), member.get("valid_until")
    return SigningKey(
        OKPKey.import_key(jwk),
        datetime.fromisoformat(signs_from) if signs_from else BEGINNING,
        datetime.fromisoformat(valid_until) if valid_until else None,
    )
