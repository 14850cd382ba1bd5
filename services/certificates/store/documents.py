"""Queries for the documents of issued certificates, and for numbers."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from services.certificates.domain.number import number_of
from services.certificates.store.tables import certificates, documents, numbers
from shared.contracts.certificates.documents import FormD
from shared.database.upserts import add_one, raise_to
from shared.handling.work import Work


@dataclass(frozen=True, kw_only=True)
class Document:
    """The document of an issued certificate as it was sent. `agent_id`: the agent that drafted the certificate, if any.

    `channel`: how the customs of the destination get it; None if on paper only. `stored`: the body as it is stored.
    """

    certificate_id: UUID
    exporter_id: UUID
    form: str
    body: FormD
    version: int
    agent_id: UUID | None = None
    channel: str | None = None
    stored: str | None = None

    @property
    def as_json(self) -> str:
        """The body exactly as it was stored: its digest is signed."""
        return self.stored or self.body.model_dump_json()


async def keep_document(work: Work, document: Document) -> None:
    """Keeps the document of an issued certificate as it was sent."""
    row = {name: value for name, value in vars(document).items() if name != "stored"}
    row |= {"body": document.as_json, "reference": document.body.reference}
    await work.insert_new(documents, [row])


async def find_document(work: Work, certificate_id: UUID) -> Document | None:
    """The document of an issued certificate, or None."""
    begun_by = func.coalesce(documents.c.agent_id, certificates.c.agent_id)  # older documents do not name the agent
    known = documents.outerjoin(certificates, certificates.c.certificate_id == documents.c.certificate_id)
    this = select(documents, begun_by.label("begun_by")).select_from(known).where(documents.c.certificate_id == certificate_id)
    row = (await work.session.execute(this)).first()
    if row is None:
        return None
    body = FormD.model_validate_json(row.body)
    return Document(
        certificate_id=row.certificate_id,
        exporter_id=row.exporter_id,
        form=row.form,
        body=body,
        version=row.version,
        agent_id=row.begun_by,
        channel=row.channel,
        stored=row.body,
    )


async def next_serial(work: Work, office: str, form: str, year: int) -> int:
    """The next serial number of an office, form and year. It is gap-free, because the same transaction takes and uses it."""
    key = {"office": office, "form": form, "year": year}
    return await add_one(work.session, numbers, key, "last")


async def skip_numbers_up_to(work: Work, reference: str) -> None:
    """Recovery: this number was given, so the next one is above it."""
    form, year, office, serial = number_of(reference)
    key = {"office": office, "form": form, "year": year}
    await raise_to(work.session, numbers, key, "last", serial)


async def references_of(work: Work, certificate_ids: set[UUID]) -> dict[UUID, str]:
    """The references of issued certificates, by id."""
    these = select(documents.c.certificate_id, documents.c.reference).where(documents.c.certificate_id.in_(certificate_ids))
    return {row.certificate_id: row.reference for row in await work.session.execute(these)}


issued = select(documents.c.certificate_id)
numbered = select(documents.c.reference)
_EXCHANGED = documents.c.channel.is_not(None)
exchanged = issued.where(_EXCHANGED)
exchanged_numbers = numbered.where(_EXCHANGED)
