"""The ASEAN Customs Declaration Document (ACDD): data of an export declaration for the customs of the destination.

Source of the fields: the list that Singapore Customs publishes. It is sent if the exporter wants it, and is never amended or
cancelled.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.fields import Country, Reference
from shared.contracts.messages import Contract

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
