"""Form D as data, for print and exchange. Source of the boxes: ATIGA Annex 7 and its overleaf notes."""

from datetime import date
from datetime import date as date_type
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


class Company(Contract):
    """The company that issued the invoice in a third country (overleaf note 11): its name and its country."""

    name: str
    country: Country


class Exhibition(Contract):
    """The exhibition at which the goods were sold (overleaf note 12): its name and its address."""

    name: str
    address: str


class Original(Contract):
    """The certificate on which a back-to-back certificate is based (Annex 8, Rule 11)."""

    reference: str
    country: Country
    issued_on: date


class DocumentInvoice(Contract):
    """A further invoice of an item, in box 10."""

    number: str
    date: date_type


class DocumentItem(Contract):
    """One item of Form D: boxes 5 to 10. `fob` is None unless the rules require to disclose it.

    `manufacturer`, `trade_mark`: also in the description (overleaf note 5), here for programs. `more_invoices`: besides the
    first one.
    """

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
    manufacturer: str | None = None
    trade_mark: str | None = None
    more_invoices: tuple[DocumentInvoice, ...] = ()


class FormD(Contract):
    """A Form D as data, box by box. The ticks of box 13 follow from `third_country_invoice` to `issued_retroactively`.

    `route`: box 3; `declared_on`, `declared_by`: box 11; `certified_by`: box 12, the officer's office as printed.
    `replaces`: the reference of the certificate that this one replaces and cancels (Annex 8, Rule 29).
    """

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
    route: str | None = None
    third_country_invoice: Company | None = None
    exhibition: Exhibition | None = None
    accumulation: bool = False
    de_minimis: bool = False
    originals: tuple[Original, ...] = ()
    partial_cumulation: bool = False
    declared_on: date | None = None
    declared_by: str | None = None
    certified_by: str | None = None
    replaces: Reference | None = None


class CertificateDocumented(Event):
    """The document of an issued certificate. Only the gateway receives it, for the customs of the destination.

    `agent_id`: the agent that drafted the certificate for the exporter, if there is one. `channel`: how it is exchanged; None
    if it is on paper only.
    """

    subject: ClassVar[str] = "evt.certificate.documented.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"gateway"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    exporter_id: UUID
    agent_id: UUID | None = None
    document: FormD
    channel: str | None = "ASW"
