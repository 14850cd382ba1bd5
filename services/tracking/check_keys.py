"""The keys of authorities abroad that check many certificates at once. Only digests of keys are stored."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from uuid import UUID, uuid4

from sqlalchemy import Column, String, Table, Uuid, select, update

from services.tracking.metadata import TABLES
from shared.database.column_types import UtcDateTime
from shared.handling.work import Work
from shared.refusals import Refused

PREFIX = "co-check"
MAX_KEYS = 1000

check_keys = Table(
    "check_keys",
    TABLES,
    Column("key_id", Uuid, primary_key=True),
    Column("authority", String(120), nullable=False),
    Column("country", String(2), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
)


class CheckKeyNotFound(Refused):
    code = "check_key_not_found"


class CheckKeyInvalid(Refused):
    code = "check_key_invalid"


@dataclass(frozen=True, kw_only=True)
class KeptKey:
    """A key as it is stored."""

    key_id: UUID
    authority: str
    country: str
    sha256: str
    issued_at: datetime
    withdrawn_at: datetime | None = None


async def issue_key(work: Work, authority: str, country: str) -> tuple[UUID, str]:
    """Stores a new key. Returns its id and the key itself, which nobody can read again."""
    key_id = uuid4()
    key = f"{PREFIX}.{key_id.hex}.{secrets.token_urlsafe(32)}"
    kept = KeptKey(key_id=key_id, authority=authority, country=country, sha256=_digest(key), issued_at=work.now)
    await work.insert_new(check_keys, [vars(kept)])
    return key_id, key


async def withdraw_key(work: Work, key_id: UUID) -> KeptKey:
    """Withdraws a key; the first withdrawal counts. Raises CheckKeyNotFound."""
    valid = (check_keys.c.key_id == key_id, check_keys.c.withdrawn_at.is_(None))
    await work.session.execute(update(check_keys).where(*valid).values(withdrawn_at=work.now))
    kept = await _find(work, key_id)
    if kept is None:
        raise CheckKeyNotFound("key_id")
    return kept


async def all_keys(work: Work) -> list[KeptKey]:
    """All keys, the latest first."""
    rows = await work.session.execute(select(check_keys).order_by(check_keys.c.issued_at.desc()).limit(MAX_KEYS))
    return [KeptKey(**row._mapping) for row in rows]


async def key_of(work: Work, key: str) -> KeptKey:
    """The valid key with this text. Raises CheckKeyInvalid."""
    parts = key.split(".")
    try:
        key_id = UUID(hex=parts[1]) if len(parts) == 3 and parts[0] == PREFIX and len(key) < 200 else None
    except ValueError:
        key_id = None
    kept = await _find(work, key_id) if key_id else None
    if kept is None or kept.withdrawn_at is not None or not compare_digest(kept.sha256, _digest(key)):
        raise CheckKeyInvalid()
    return kept


async def _find(work: Work, key_id: UUID) -> KeptKey | None:
    row = (await work.session.execute(select(check_keys).where(check_keys.c.key_id == key_id))).first()
    return None if row is None else KeptKey(**row._mapping)


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
