"""Queries for sealed documents, previews, and the certificates of the offices' keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from services.certificates.domain.life_cycle import Status
from services.certificates.store.tables import certificates, document_keys, documents, previews, sealed_documents
from shared.contracts.certificates.sealing import DocumentKeyPublished
from shared.handling.files import delete_file
from shared.handling.work import Work


@dataclass(frozen=True, kw_only=True)
class SealedDocument:
    """The sealed document of a certificate. The PDF is stored as a file of the certificate, under its SHA-256.

    `proof`: None if a former release has sealed it.
    """

    certificate_id: UUID
    sha256: str
    key_id: str
    code: str
    summary: str
    locked_summary: str
    credential: str
    sealed_at: datetime
    proof: str | None


async def keep_sealed(work: Work, sealed: SealedDocument) -> None:
    """Keeps a sealed document."""
    await work.insert_new(sealed_documents, [vars(sealed)])
    this = documents.c.certificate_id == sealed.certificate_id
    await work.session.execute(update(documents).where(this).values(sealed=True))


async def find_sealed(work: Work, certificate_id: UUID) -> SealedDocument | None:
    """The sealed document of a certificate, or None if it is not made yet."""
    this = select(sealed_documents).where(sealed_documents.c.certificate_id == certificate_id)
    row = (await work.session.execute(this)).first()
    return None if row is None else SealedDocument(**row._mapping)


async def unsealed(work: Work, limit: int) -> Sequence[UUID]:
    """Certificates whose document is not sealed, such as those that a former release has issued."""
    these = select(documents.c.certificate_id).where(~documents.c.sealed).order_by(documents.c.certificate_id).limit(limit)
    return (await work.session.scalars(these)).all()


async def keep_preview(work: Work, certificate_id: UUID, sha256: str) -> None:
    """Keeps the latest preview of a certificate, and deletes the file of the former one."""
    this = previews.c.certificate_id == certificate_id
    former = await work.session.scalar(select(previews.c.sha256).where(this))
    if former and former != sha256:
        await delete_file(certificate_id, former, work)
    await work.session.execute(delete(previews).where(this))
    await work.session.execute(insert(previews).values(certificate_id=certificate_id, sha256=sha256))


async def keep_key(work: Work, key: DocumentKeyPublished) -> bool:
    """Keeps the certificate of a key, or since when it is withdrawn. Returns whether anything changed."""
    row = key.model_dump(include={"key_id", "office", "certificate", "withdrawn_since"})
    if await work.insert_new(document_keys, [row]):
        return True
    if key.withdrawn_since is None:
        return False
    this = (document_keys.c.key_id == key.key_id) & document_keys.c.withdrawn_since.is_(None)
    done = update(document_keys).where(this).values(withdrawn_since=key.withdrawn_since).returning(document_keys.c.key_id)
    return bool((await work.session.execute(done)).all())


async def find_key(work: Work, key_id: str) -> tuple[str, str, datetime | None] | None:
    """The office and the certificate of a key, and since when it is withdrawn; or None."""
    columns = (document_keys.c.office, document_keys.c.certificate, document_keys.c.withdrawn_since)
    row = (await work.session.execute(select(*columns).where(document_keys.c.key_id == key_id))).first()
    return None if row is None else (row.office, row.certificate, row.withdrawn_since)


@dataclass(frozen=True)
class PublicKey:
    """The certificate of a key that seals."""

    key_id: str
    certificate: str
    withdrawn_since: datetime | None


async def all_keys(work: Work) -> Sequence[PublicKey]:
    """The certificates of all keys, by id; at most 1000. An office has a few in its life."""
    columns = (document_keys.c.key_id, document_keys.c.certificate, document_keys.c.withdrawn_since)
    rows = await work.session.execute(select(*columns).order_by(document_keys.c.key_id).limit(1000))
    return [PublicKey(*row) for row in rows]


async def revoked(work: Work, name: str) -> list[int]:
    """The serial numbers of cancelled certificates. `name`: a reference without its serial number."""
    columns = certificates.c.reference, certificates.c.status
    these = select(columns[0]).where(columns[1] == Status.CANCELLED, columns[0].like(f"{name}-%"))
    return [int(reference.rpartition("-")[2]) for reference in await work.session.scalars(these)]


key_ids = select(document_keys.c.key_id)
sealed = select(sealed_documents.c.certificate_id)
