"""The queries about the kinds of documents."""

from uuid import UUID

from sqlalchemy import select

from services.gateway.store import inbound_documents, transmissions
from shared.handling.work import Work


async def kinds_of_certificate(work: Work, certificate_id: UUID) -> frozenset[str]:
    """The kinds of the documents that were sent for a certificate."""
    found = select(transmissions.c.kind).where(transmissions.c.certificate_id == certificate_id)
    return frozenset(await work.session.scalars(found))


async def kind_of_sent(work: Work, reference: str) -> str | None:
    """The kind of our document with this reference, or None."""
    kind: str | None = await work.session.scalar(
        select(transmissions.c.kind).where(transmissions.c.reference == reference).limit(1)
    )
    return kind


async def kind_of_received(work: Work, sender: str, reference: str) -> str | None:
    """The kind of a partner's document with this reference, or None."""
    same = (inbound_documents.c.sender == sender, inbound_documents.c.reference == reference)
    kind: str | None = await work.session.scalar(select(inbound_documents.c.kind).where(*same).limit(1))
    return kind
