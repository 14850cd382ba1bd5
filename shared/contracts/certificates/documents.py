"""Form D as it is printed and exchanged. Boxes: ATIGA Annex 7 and its overleaf notes."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Country, Reference
from shared.contracts.messages import Contract, Event

Figure = Annotated[Decimal, Field(max_digits=30)]
"""A number that can be written out: 1E+999999999, written out, has a thousand million digits."""


class Party(Contract):
    """A name and an address, and where known the country."""

    name: str
    address: str
    country: str | None = None


class Money(Contract):
    """A disclosed amount."""

    amount: Figure
    currency: str


class DocumentItem(Contract):
    """One item as printed and sent: boxes 5 to 10. `fob` is there only where it is disclosed."""

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
    """The document of an issued certificate, for the exchange with the destination's customs and nobody else.

    `agent_id`: the agent that began it for the exporter, if one did.
    """

    subject: ClassVar[str] = "evt.certificate.documented.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"gateway"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    exporter_id: UUID
    agent_id: UUID | None = None
    document: FormD
