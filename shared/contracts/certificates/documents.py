"""Form D as data, for print and exchange. Source of the boxes: ATIGA Annex 7 and its overleaf notes."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Country, Reference
from shared.contracts.messages import Contract, Event

Figure = Annotated[Decimal, Field(max_digits=30)]
"""A number that can be written without an exponent: 1E+999999999 would have a thousand million digits."""


class Party(Contract):
    """A name, an address and, if known, a country."""

    name: str
    address: str
    country: str | None = None


class Money(Contract):
    """A disclosed amount of money."""

    amount: Figure
    currency: str


class DocumentItem(Contract):
    """One item of Form D: boxes 5 to 10. `fob` is None unless the rules require to disclose it."""

    number: int
    marks: str
    packages: int
    package_kind: str
    description: str
    hs_code: str
    criterion: str
    quantity: Figure
    unit: str
    gross_weight_kg: Figure
    fob: Money | None = None
    invoice_number: str
    invoice_date: date


class FormD(Contract):
    """A Form D as data, box by box."""

    reference: Reference
    issuing_country: Country
    office: str
    issued_on: date
    valid_until: date
    exporter: Party
    consignee: Party
    destination: Country
    departure_date: date
    vessel: str
    port_of_discharge: str
    issued_retroactively: bool
    items: tuple[DocumentItem, ...]


class CertificateDocumented(Event):
    """The document of an issued certificate. Only the gateway receives it, for the customs of the destination.

    `agent_id`: the agent that drafted the certificate for the exporter, if there is one.
    """

    subject: ClassVar[str] = "evt.certificate.documented.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"gateway"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    exporter_id: UUID
    agent_id: UUID | None = None
    document: FormD
