"""The tables of the gateway: transmissions with their steps, and the documents that partners sent.

`ledger_tables` has those of the ledger.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    bindparam,
    cast,
    false,
    select,
)
from sqlalchemy.orm import registry, relationship

from services.gateway.domain import (
    E_FORM_D,
    UNKNOWN,
    InboundDocument,
    OutgoingMessage,
    PartnerGateway,
    Step,
    Transmission,
    TransmissionNotFound,
)
from services.gateway.ledger_tables import contingencies, partner_outages
from services.gateway.metadata import TABLES
from services.gateway.outages import Contingency, PartnerOutage
from services.gateway.verification import VerificationCase
from shared.database.column_types import ROW_ID, UtcDateTime
from shared.database.tables import dead_letters, tasks
from shared.handling.task import Task
from shared.handling.work import Work

UNKNOWN_TEXT = f"{UNKNOWN:%Y-%m-%dT%H:%M:%S.%fZ}"
"""The default as both databases accept it; the former release does not write this column."""

transmissions = Table(
    "transmissions",
    TABLES,
    Column("transmission_id", Uuid, primary_key=True),
    Column("certificate_id", Uuid, nullable=False, index=True),
    Column("exporter_id", Uuid, nullable=False),
    Column("reference", String(30), nullable=False),
    Column("destination", String(2), nullable=False),
    Column("number", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("agent_id", Uuid),
    Column("began_at", UtcDateTime, nullable=False, server_default=UNKNOWN_TEXT),
    Column("answered", Boolean, nullable=False, server_default=false()),
    Column("held_because", String(200)),
    Column("kind", String(40), nullable=False, server_default=E_FORM_D),
    UniqueConstraint("reference", "number"),
    Index("ix_transmissions_newest", "began_at", "transmission_id"),
    Index("ix_transmissions_exporter", "exporter_id", "began_at", "transmission_id"),
    Index("ix_transmissions_destination", "destination", "began_at", "transmission_id"),
    Index("ix_transmissions_open", "answered", "began_at", "transmission_id"),
)

_newest = transmissions.c.began_at, transmissions.c.transmission_id
_open, _of_an_agent = ~transmissions.c.answered, transmissions.c.agent_id.is_not(None)
for _name, _columns, _only in (
    ("ix_transmissions_open_of_exporter", (transmissions.c.exporter_id, *_newest), _open),
    ("ix_transmissions_open_to_country", (transmissions.c.destination, *_newest), _open),
    ("ix_transmissions_agent", (transmissions.c.agent_id, transmissions.c.exporter_id, *_newest), _of_an_agent),
):
    Index(_name, *_columns, postgresql_where=_only, sqlite_where=_only)

steps = Table(
    "steps",
    TABLES,
    Column("transmission_id", Uuid, ForeignKey("transmissions.transmission_id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("code", String(3), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("country", String(2), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("detail", Text),
    UniqueConstraint("transmission_id", "code"),
)
_received = steps.c.code == "REC"
Index("ix_steps_received", steps.c.country, steps.c.at, postgresql_where=_received, sqlite_where=_received)

inbound_documents = Table(
    "inbound_documents",
    TABLES,
    Column("document_id", Uuid, primary_key=True),
    Column("sender", String(2), nullable=False),
    Column("reference", String(30), nullable=False),
    Column("number", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("message", LargeBinary, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("reasons", JSON, nullable=False),
    Column("returned_at", UtcDateTime),
    Column("valid_until", Date),
    Column("responses", JSON, nullable=False, server_default="[]"),
    Column("kind", String(40), nullable=False, server_default=E_FORM_D),
    UniqueConstraint("sender", "reference", "number"),
    Index("ix_inbound_documents_newest", "received_at", "document_id"),
    Index("ix_inbound_documents_sender", "sender", "received_at", "document_id"),
    Index("ix_inbound_documents_reference", "reference", postgresql_ops={"reference": "varchar_pattern_ops"}),
)

partners = Table(
    "partners",
    TABLES,
    Column("country", String(2), primary_key=True),
    Column("answers", Boolean, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("problem", String(300)),
    Column("problem_at", UtcDateTime),
)

outgoing = Table(
    "outgoing",
    TABLES,
    Column("position", ROW_ID, primary_key=True),
    Column("message_id", Uuid, nullable=False, unique=True),
    Column("receiver", String(2), nullable=False),
    Column("reference", String(30), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("reasons", JSON, nullable=False, server_default="[]"),
    Index("ix_outgoing_of_document", "receiver", "reference", "position"),
)
"""Messages about a document that was exchanged before. Those about one document are sent in their order."""

verification_cases = Table(
    "verification_cases",
    TABLES,
    Column("case_id", Uuid, primary_key=True),
    Column("ours", Boolean, nullable=False),
    Column("partner", String(2), nullable=False),
    Column("reference", String(30), nullable=False),
    Column("number", Integer, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("question", Text, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("answer_by", Date, nullable=False),
    Column("close_by", Date, nullable=False),
    Column("items", JSON, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("outcome", String(40)),
    Column("text", Text),
    Column("answered", Boolean, nullable=False),
    Index("ix_verification_cases_list", "ours", "answered", "answer_by", "case_id"),
)

_ANSWERS = select(partners.c.answers).where(partners.c.country == bindparam("country"))

_oldest = transmissions.c.began_at, transmissions.c.transmission_id
_certificates = transmissions.c.kind == E_FORM_D
MAX_COUNTED = 1000
"""Maximum documents that a list counts."""

MUST_BE_CHECKED = "it cannot be sent; an operator of the gateway must check it"

_mapping = registry(metadata=TABLES)
_mapping.map_imperatively(Step, steps)
_mapping.map_imperatively(
    Transmission,
    transmissions,
    properties={"steps": relationship(Step, order_by=steps.c.position, lazy="selectin", cascade="all, delete-orphan")},
)
_mapping.map_imperatively(InboundDocument, inbound_documents)
_mapping.map_imperatively(PartnerGateway, partners)
_mapping.map_imperatively(OutgoingMessage, outgoing)
_mapping.map_imperatively(VerificationCase, verification_cases)
_mapping.map_imperatively(PartnerOutage, partner_outages)
_mapping.map_imperatively(Contingency, contingencies)


async def transmission_by_id(work: Work, transmission_id: UUID) -> Transmission:
    """A transmission with its steps. Raises TransmissionNotFound."""
    return _found(await work.session.get(Transmission, transmission_id, with_for_update=work.may_write))


async def transmission_by_reference(work: Work, reference: str, number: int) -> Transmission:
    """The transmission with a reference and number. Raises TransmissionNotFound."""
    return _found(await find_transmission(work, reference, number))


async def transmissions_of(work: Work, certificate_id: UUID, kind: str = E_FORM_D) -> list[Transmission]:
    """The transmissions of a certificate, or of the document of another kind that was added to it, oldest first.

    Raises TransmissionNotFound if there is none.
    """
    found = await find_transmissions(work, certificate_id, kind)
    if not found:
        raise TransmissionNotFound()
    return found


async def find_transmissions(work: Work, certificate_id: UUID, kind: str = E_FORM_D) -> list[Transmission]:
    """The transmissions of a certificate, or of the document of another kind that was added to it; none if there is none."""
    same = (transmissions.c.certificate_id == certificate_id, transmissions.c.kind == kind)
    every = select(Transmission).where(*same).order_by(transmissions.c.number)
    return list(await work.session.scalars(every.with_for_update() if work.may_write else every))


async def find_transmission(work: Work, reference: str, number: int) -> Transmission | None:
    """The transmission with a reference and number, or None."""
    same = select(Transmission).where(transmissions.c.reference == reference, transmissions.c.number == number)
    return (await work.session.scalars(same.with_for_update() if work.may_write else same)).first()


async def insert_inbound_document(work: Work, document: dict[str, Any]) -> bool:
    """Stores a partner's document and returns whether it is new. `document`: a value for each column."""
    return bool(await work.insert_new(inbound_documents, [document]))


async def inbound_document(work: Work, sender: str, reference: str, number: int) -> InboundDocument:
    """The document that a partner sent with a reference and number. Raises NoResultFound."""
    same = (inbound_documents.c.sender == sender, inbound_documents.c.reference == reference)
    return (await work.session.scalars(select(InboundDocument).where(*same, inbound_documents.c.number == number))).one()


async def inbound_documents_of(work: Work, sender: str, reference: str) -> list[InboundDocument]:
    """The documents that a partner sent under a reference, the first transmission first."""
    same = (inbound_documents.c.sender == sender, inbound_documents.c.reference == reference)
    return list(await work.session.scalars(select(InboundDocument).where(*same).order_by(inbound_documents.c.number)))


async def inbound_document_by_id(work: Work, document_id: UUID) -> InboundDocument:
    """A document that a partner sent. Raises NoResultFound."""
    return await work.session.get_one(InboundDocument, document_id, with_for_update=work.may_write)


async def next_message(work: Work, receiver: str, reference: str) -> OutgoingMessage | None:
    """The oldest message about a document that has no receipt yet."""
    waiting = select(OutgoingMessage).where(
        outgoing.c.receiver == receiver, outgoing.c.reference == reference, outgoing.c.answered_at.is_(None)
    )
    return (await work.session.scalars(waiting.order_by(outgoing.c.position).limit(1))).first()


async def messages_about(work: Work, receiver: str, reference: str, kind: str) -> list[OutgoingMessage]:
    """The messages of a kind about a document, the oldest first."""
    same = (outgoing.c.receiver == receiver, outgoing.c.reference == reference, outgoing.c.kind == kind)
    return list(await work.session.scalars(select(OutgoingMessage).where(*same).order_by(outgoing.c.position)))


async def waiting_tasks(work: Work, task: type[Task], keys: Collection[UUID]) -> dict[UUID, tuple[int, str | None]]:
    """For each key with a waiting task: the number of attempts, and why it waits."""
    texts = [str(key) for key in keys]
    died = select(dead_letters.c.key).where(dead_letters.c.name == task.kind, dead_letters.c.key.in_(texts))
    found: dict[UUID, tuple[int, str | None]] = {UUID(key): (0, MUST_BE_CHECKED) for key in await work.session.scalars(died)}
    waiting = select(tasks.c.key, tasks.c.attempts, tasks.c.last_error).where(tasks.c.kind == task.kind, tasks.c.key.in_(texts))
    return found | {UUID(row.key): (row.attempts, row.last_error) for row in await work.session.execute(waiting)}


async def partner_answers(work: Work, country: str) -> bool | None:
    """Whether a partner's gateway answered the last attempt; None before the first one. It locks nothing."""
    answers: bool | None = await work.session.scalar(_ANSWERS, {"country": country})
    return answers


async def observed_partners(work: Work) -> dict[str, PartnerGateway]:
    """The state of each partner that was tried before, by country."""
    return {each.country: each for each in await work.session.scalars(select(PartnerGateway))}


async def waiting_for(work: Work, country: str) -> tuple[int, bool, Row[Any, Any] | None]:
    """How many documents to a country have no answer of its customs, whether there are more, and the oldest of them."""
    columns = (transmissions.c.transmission_id, transmissions.c.began_at)
    waiting = select(*columns).where(transmissions.c.destination == country, ~transmissions.c.answered)
    rows = (await work.session.execute(waiting.order_by(*_oldest).limit(MAX_COUNTED + 1))).all()
    return min(len(rows), MAX_COUNTED), len(rows) > MAX_COUNTED, rows[0] if rows else None


async def partner_by_country(work: Work, country: str) -> PartnerGateway:
    """The state of a partner's gateway; version 0 before the first attempt."""
    if known := await work.session.get(PartnerGateway, country, with_for_update=work.may_write):
        return known
    await work.insert_new(partners, [{"country": country, "answers": False, "since": work.now, "version": 0}])
    return await work.session.get_one(PartnerGateway, country, with_for_update=work.may_write)


def _found(transmission: Transmission | None) -> Transmission:
    if transmission is None:
        raise TransmissionNotFound()
    return transmission


def certificates_at(code: str) -> Select[Any]:
    """The certificates with a transmission that has reached a code."""
    reached = select(transmissions.c.certificate_id).join(steps).where(steps.c.code == code, _certificates)
    return reached.distinct()


_decided = inbound_documents.c.decided_at.is_not(None)
accepted = _decided & (cast(inbound_documents.c.reasons, String) == "[]") & (inbound_documents.c.kind == E_FORM_D)
"""Certificates in our customs system: only these are originals."""
accepted_documents = select(inbound_documents.c.document_id).where(accepted)
originals = select(inbound_documents.c.sender + "/" + inbound_documents.c.reference).where(accepted).distinct()
partner_countries = select(partners.c.country)
transmission_ids = select(transmissions.c.transmission_id).where(_certificates)
added_document_ids = select(transmissions.c.transmission_id).where(~_certificates)
first_sent = select(transmissions.c.certificate_id).where(transmissions.c.number == 1, _certificates)
references = select(transmissions.c.reference).where(transmissions.c.number == 1, _certificates)
decided_documents = select(
    inbound_documents.c.sender + "/" + inbound_documents.c.reference + "/" + cast(inbound_documents.c.number, String(10))
).where(_decided)
