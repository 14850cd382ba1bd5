"""The ASEAN Customs Declaration Document (ACDD): data of an export declaration for the customs of the destination.

Source of the fields: the list that Singapore Customs publishes. It is sent if the exporter wants it, and is never amended or
cancelled.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Country, Line, Reference, Slug
from shared.contracts.gateway.transmissions import MAX_REASONS, StatusCode, TransmissionState
from shared.contracts.messages import Answer, Command, Contract, Event
from shared.contracts.roles import Role

Figure = Annotated[Decimal, Field(ge=0, max_digits=30)]


class TransportMode(StrEnum):
    """How the goods leave the country (UN/ECE Recommendation 19)."""

    SEA = "sea"
    RAIL = "rail"
    ROAD = "road"
    AIR = "air"
    RIVER = "river"


class Trader(Contract):
    """A company in a declaration. `identifier`: its number with the customs of the exporting country."""

    name: str
    address: str | None = None
    identifier: str | None = None


class DeclaredItem(Contract):
    """One item of an export declaration."""

    number: int
    hs_code: str
    quantity: Figure
    unit: str
    country_of_origin: Country


class ExportDeclaration(Contract):
    """An export declaration as data. `certificate`: the reference of the certificate for the same goods, if there is one."""

    reference: Reference
    issuing_country: Country
    destination: Country
    permit_number: str
    exporter: Trader
    consignee: Trader
    declaring_agent: str | None = None
    departure_date: date
    transport_mode: TransportMode
    port_of_discharge: str
    certificate: Reference | None = None
    items: tuple[DeclaredItem, ...]


class SendDeclaration(Command):
    """An exporter sends its export declaration to the customs of the destination, for an issued certificate.

    The goods, the consignee and the departure are those of the certificate. `exporter_number`: that of the exporter with
    customs. `country_of_origin`: of all goods, if the certificate does not say it. A declaration that was rejected can be sent
    again, with other values.
    """

    subject: ClassVar[str] = "cmd.declaration.send.v1"
    answer: ClassVar[type[Answer]] = TransmissionState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    permit_number: Line
    transport_mode: TransportMode
    exporter_number: Line
    declaring_agent: Line | None = None
    country_of_origin: Country | None = None


class DocumentAdvanced(Event):
    """The transmission of a document that was added to a certificate reached a code. `kind`: that of the document."""

    subject: ClassVar[str] = "evt.document.advanced.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"portal"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    kind: Slug
    reference: Reference
    destination: Country
    number: int
    code: StatusCode
    country: Country
    reasons: Annotated[tuple[Slug, ...], Field(max_length=MAX_REASONS)] = ()
