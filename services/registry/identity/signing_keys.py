"""The keys that sign tokens. One key signs at a time; the services know it, the former ones and the next ones.

The file is a JWK set (RFC 7517). The members `signs_from` and `valid_until` say when a key signs and when its tokens expire.
A file with a single JWK holds one key that signs from the beginning.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from joserfc.jwk import OKPKey

from services.registry.identity.store import signing_keys as store
from shared.contracts.registry.identity import SigningKeyPublished
from shared.handling.router import Router
from shared.handling.work import Work
from shared.security.signing_keys import store_key
from shared.security.tokens import public_jwk

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
VALID = timedelta(days=400)
"""The validity of a key without `valid_until`: a year, and time to change it."""

router = Router()


@dataclass(frozen=True)
class SigningKey:
    """A key, the instant from which it signs, and the instant until which its tokens are valid."""

    key: OKPKey
    signs_from: datetime = BEGINNING
    valid_until: datetime | None = None


class SigningKeys:
    """All former, present and future keys."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys = keys

    @classmethod
    def of(cls, key: OKPKey) -> Self:
        """A single key that signs from the beginning."""
        return cls(SigningKey(key))

    @classmethod
    def read(cls, file: Path) -> Self:
        """The keys in a file. Raises ValueError where it holds no key and no set of keys."""
        content: dict[str, Any] = json.loads(file.read_text())
        return cls(*map(_key_of, content.get("keys", [content])))

    def at(self, now: datetime) -> OKPKey:
        """The key that signs at this instant: the newest of the valid ones. Raises ValueError where there is none."""
        valid = [key for key in self.keys if key.signs_from <= now and (key.valid_until is None or now < key.valid_until)]
        if not valid:
            raise ValueError("no key may sign now: see `co secrets rotate-token-key`")
        return max(valid, key=lambda key: key.signs_from).key


def _key_of(member: dict[str, Any]) -> SigningKey:
    jwk = {name: value for name, value in member.items() if name not in ("signs_from", "valid_until")}
    signs_from, valid_until = member.get("signs_from"), member.get("valid_until")
    return SigningKey(
        OKPKey.import_key(jwk),
        datetime.fromisoformat(signs_from) if signs_from else BEGINNING,
        datetime.fromisoformat(valid_until) if valid_until else None,
    )


@router.at_start
async def publish_signing_keys(work: Work) -> None:
    """Announces new keys, long before they sign, and keys that are retired earlier than planned."""
    for each in work.use(SigningKeys).keys:
        valid_until = each.valid_until or work.now + VALID
        key_id = each.key.thumbprint()
        key = SigningKeyPublished(
            key_id=key_id,
            public_key=public_jwk(each.key),
            not_before=work.now,
            not_after=valid_until,
            version=1,
            occurred_at=work.now,
        )
        if await store_key(key, work):
            work.announce(await store.signing_key(work, key_id))


@router.reannounces("signing-key", store.key_ids)
async def announce_signing_key(key_id: str, work: Work) -> None:
    """Announces a key that signs tokens."""
    work.announce(await store.signing_key(work, key_id))
