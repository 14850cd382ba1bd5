"""The public JSON, and the definitions of its OpenAPI document. It contains no names, goods or values."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from shared.contracts.gateway.transmissions import StatusCode


def utc(at: datetime) -> str:
    """An instant in UTC as in the JSON."""
    return at.isoformat().replace("+00:00", "Z")


Instant = Annotated[datetime, PlainSerializer(utc, when_used="json")]
"""An instant in UTC with microseconds, ISO 8601."""
Seconds = Annotated[int, Field(ge=0)]


class Public(BaseModel):
    """A part of a public answer."""

    model_config = ConfigDict(frozen=True)


class Bilingual(Public):
    """A text in English and Khmer."""

    en: str
    km: str


class ReasonShown(Bilingual):
    """A reason for a rejection: its code, and its meaning."""

    code: str


class StepShown(Public):
    """A code that a transmission has reached. `number` counts the transmissions of the certificate."""

    number: int
    code: StatusCode
    at: Instant
    country: str
    meaning: Bilingual
    next: Bilingual
    reasons: tuple[ReasonShown, ...]


class TransmissionShown(Public):
    """One transmission with its steps. `status`: the code that it has reached."""

    number: int
    status: StatusCode
    steps: tuple[StepShown, ...]


class Contact(Public):
    """Whom to call. `kind`: the office that issued the certificate, or the customs of the destination."""

    kind: Literal["office", "customs"]
    code: str
    name: Bilingual
    telephone: str | None = None
    email: str | None = None
    website: str | None = None


class CancellationShown(Public):
    """When and why a certificate was cancelled. `replaced_by`: the reference of the one that replaces it, if there is one."""

    at: Instant
    reason: ReasonShown
    replaced_by: str | None = None


class CertificateShown(Public):
    """A certificate on its way. `status` is null before the first step; `contact` is null if nobody needs to be called.

    `cancelled`: null for a certificate that was not cancelled.
    """

    reference: str
    form: str
    destination: str
    issued_on: str
    valid_until: str
    codes: tuple[StatusCode, ...]
    status: StatusCode | None
    steps: tuple[StepShown, ...]
    transmissions: tuple[TransmissionShown, ...]
    next_step: Bilingual
    contact: Contact | None
    cancelled: CancellationShown | None = None


class UnusualPart(Bilingual):
    """A part of a typed reference that is probably wrong, and why."""

    part: Literal["form", "year", "office"]
    value: str


class Problem(Public):
    """Why there is no answer. `unusual`: what to check in the reference. `example`: how a reference looks."""

    code: str
    detail: str
    unusual: tuple[UnusualPart, ...] = ()
    example: str | None = None


class Figure(Public):
    """How long a step took. The times are null for fewer than 5 certificates: one alone could be recognised."""

    certificates: int
    median_seconds: Seconds | None
    p95_seconds: Seconds | None


class FigureOf(Figure):
    """A figure of one office or one destination."""

    code: str
    name: Bilingual


class StepFigures(Public):
    """How long one step took: in all, at each office and for each destination."""

    begins: str
    ends: str
    all: Figure
    offices: Annotated[tuple[FigureOf, ...], Field(max_length=100)]
    destinations: Annotated[tuple[FigureOf, ...], Field(max_length=100)]


class Waiting(Public):
    """How many certificates wait, and for whom. `ministry`: for an officer. `partner`: for another country."""

    exporter: int
    ministry: int
    payment: int
    partner: int


class ServiceFigures(Public):
    """The service in figures. Each step is measured over the newest certificates of the last days, at most `sample`."""

    measured_at: Instant
    days: int
    sample: int
    steps: tuple[StepFigures, ...]
    waiting: Waiting


class PartnerShown(Public):
    """A partner's gateway: whether it accepts documents, since when, and how many wait for it."""

    country: str
    name: Bilingual
    state: Literal["up", "down", "unknown"]
    since: Instant | None
    waiting: int


class PartnersShown(Public):
    """The gateways of all partners."""

    measured_at: Instant
    partners: Annotated[tuple[PartnerShown, ...], Field(max_length=100)]


class CodeShown(Public):
    """The meaning of a code. `ours`: whether it is a code of this system, and not of the ASEAN Single Window."""

    code: StatusCode
    name: Bilingual
    meaning: Bilingual
    next: Bilingual
    ours: bool


class CodesShown(Public):
    """The meanings of all codes."""

    codes: tuple[CodeShown, ...]
