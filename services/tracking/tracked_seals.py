"""Seals: digests of sealed documents and of their data, and the certificates of the keys. Nothing here is confidential."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from services.tracking.store import tracked_data, tracked_keys, tracked_seals
from shared.handling.work import Work


@dataclass(frozen=True, kw_only=True)
class TrackedSeal:
    """A sealed document: its digest, and its summary under the verification code."""

    sha256: str
    certificate_id: UUID
    reference: str
    key_id: str
    summary: str
    contingency_number: str | None
    sealed_at: datetime


@dataclass(frozen=True, kw_only=True)
class TrackedData:
    """The data of a sealed document: the digest of its XML (`digest_of_element`)."""

    sha256: str
    reference: str
    key_id: str
    sealed_at: datetime


@dataclass(frozen=True, kw_only=True)
class TrackedKey:
    """The certificate of a key that seals. `withdrawn_since`: it was stolen then."""

    key_id: str
    office: str
    certificate: str
    withdrawn_since: datetime | None
    version: int


async def store_seal(work: Work, seal: TrackedSeal) -> None:
    """Stores a seal. A document that is sealed again after a recovery has another digest: both are genuine."""
    await work.insert_new(tracked_seals, [vars(seal)])


async def store_data(work: Work, data: Sequence[TrackedData]) -> None:
    """Stores the digests of a document as XML."""
    await work.insert_new(tracked_data, [vars(each) for each in data])


async def store_key(work: Work, key: TrackedKey) -> None:
    """Stores a key, or that it is withdrawn."""
    await work.insert_newer(tracked_keys, vars(key))


async def find_seal(work: Work, sha256: str) -> TrackedSeal | None:
    """The seal of a file, or None."""
    row = (await work.session.execute(select(tracked_seals).where(tracked_seals.c.sha256 == sha256))).first()
    return None if row is None else TrackedSeal(**row._mapping)


async def seals_of(work: Work, reference: str) -> Sequence[TrackedSeal]:
    """The seals of a certificate and its contingency prints; at most 200."""
    these = select(tracked_seals).where(tracked_seals.c.reference == reference).limit(200)
    return [TrackedSeal(**row._mapping) for row in await work.session.execute(these)]


async def find_data(work: Work, sha256: str) -> TrackedData | None:
    """The sealed document whose XML has this digest, or None."""
    row = (await work.session.execute(select(tracked_data).where(tracked_data.c.sha256 == sha256))).first()
    return None if row is None else TrackedData(**row._mapping)


async def has_data(work: Work, reference: str) -> bool:
    """Whether the digests of the data of a certificate are known."""
    return (
        await work.session.scalar(select(tracked_data.c.sha256).where(tracked_data.c.reference == reference).limit(1))
        is not None
    )


async def find_key(work: Work, key_id: str) -> TrackedKey | None:
    """The key with this id, or None."""
    row = (await work.session.execute(select(tracked_keys).where(tracked_keys.c.key_id == key_id))).first()
    return None if row is None else TrackedKey(**row._mapping)


sealed = select(tracked_seals.c.certificate_id).distinct()
