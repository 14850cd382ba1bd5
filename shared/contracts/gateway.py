"""Gateway: the exchange over the ASEAN Single Window, and the public codes of a transmission."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Country, Reference, Slug
from shared.contracts.messages import Answer, Contract, Event, Question

MAX_REASONS = 200
"""Reasons that a document may be refused for, at most."""
MAX_WRITTEN = 101_000
"""Characters of all that is written in them: 200 of 500, and what stands between two. At 4 bytes each, an answer holds two."""


class StatusCode(StrEnum):
    """The public codes of a transmission. AS1, AS2, REC and NOT are ASEAN's; the others are ours."""

    AS1 = "AS1"
    AS2 = "AS2"
    REC = "REC"
    NOT = "NOT"
    UTP = "UTP"
    UTL = "UTL"
    DEN = "DEN"
    CAN = "CAN"


NEXT_CODES: dict[StatusCode | None, frozenset[StatusCode]] = {
    None: frozenset({StatusCode.AS1}),
    StatusCode.AS1: frozenset({StatusCode.AS2, StatusCode.NOT, StatusCode.CAN}),
    StatusCode.AS2: frozenset({StatusCode.REC, StatusCode.NOT, StatusCode.CAN}),
    StatusCode.REC: frozenset({StatusCode.UTP, StatusCode.UTL, StatusCode.DEN, StatusCode.CAN}),
    StatusCode.UTP: frozenset({StatusCode.UTL, StatusCode.DEN}),
    StatusCode.DEN: frozenset({StatusCode.UTL, StatusCode.UTP}),
    StatusCode.UTL: frozenset(),
    StatusCode.NOT: frozenset(),
    StatusCode.CAN: frozenset(),
}
"""Which code may follow which. NOT comes only before REC; a later refusal is DEN, which may be re-assessed (OCP Rule 30)."""


class Step(Contract):
    """A code that a transmission reached, when and in which country."""

    code: StatusCode
    at: datetime
    country: str
    reasons: Annotated[tuple[str, ...], Field(max_length=MAX_REASONS)] = ()
    detail: Annotated[str, Field(max_length=MAX_WRITTEN)] | None = None


class TransmissionState(Answer):
    """A transmission as its exporter and the ministry see it; `detail` of a step is what the partner wrote."""

    certificate_id: UUID
    reference: str
    destination: str
    number: int
    steps: tuple[Step, ...]
    attempts: int
    waits_because: str | None = None
    version: int


class GetTransmission(Question):
    """How far has this certificate come on its way to the customs of the destination?"""

    subject: ClassVar[str] = "qry.transmission.get.v1"
    answer: ClassVar[type[Answer]] = TransmissionState
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class TransmissionAdvanced(Event):
    """A transmission reached a code. Holds only what the public may see; reasons are slugs, never free text."""

    subject: ClassVar[str] = "evt.transmission.advanced.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"tracking"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    reference: Reference
    destination: Country
    number: int
    code: StatusCode
    country: Country
    reasons: Annotated[tuple[Slug, ...], Field(max_length=MAX_REASONS)] = ()
