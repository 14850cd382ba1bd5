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
ExchangeState = Literal["works", "slow", "out", "unknown"]


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


class OutageShown(Public):
    """The certificate waits, because its destination is out since `out_since`."""

    out_since: Instant
    meaning: Bilingual


class CertificateShown(Public):
    """A certificate on its way. `status` is null before the first step; `contact` is null if nobody needs to be called.

    `cancelled`: null for a certificate that was not cancelled.
    `outage` is null unless the certificate waits for a member that is out.
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
    outage: OutageShown | None = None


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
    """The exchange with a member. `state`: whether its gateway accepts documents, since `since`; `waiting`: how many wait.

    `exchange`: whether it works, is slow, or is out since `out_since`. `oldest`: since when the oldest one waits.
    `median_seconds`: the median time from AS1 to REC over the last 30 days; null for fewer than 5 documents.
    """

    country: str
    name: Bilingual
    state: Literal["up", "down", "unknown"]
    since: Instant | None
    waiting: int
    exchange: ExchangeState
    out_since: Instant | None
    oldest: Instant | None
    median_seconds: Seconds | None
    next_step: Bilingual


class PartnersShown(Public):
    """The gateways of all partners."""

    measured_at: Instant
    partners: Annotated[tuple[PartnerShown, ...], Field(max_length=100)]


class PublicKey(Public):
    """A public key (JWK, RFC 7517)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str


class NoticeFacts(Public):
    """What a notice says, and what has happened since. `key` verifies its signature (JWS, ES256).

    `code`: the last code of the certificate. `outage_ended_at`: null while the member is out.
    """

    number: str
    kind: Literal["notice", "print"]
    certificate: str
    destination: str
    destination_name: Bilingual
    out_since: Instant
    issued_at: Instant
    code: StatusCode | None
    outage_ended_at: Instant | None
    key: PublicKey


class NoticeShown(Public):
    """The check of a notice. `signed`: whether its signature was checked, and not only its number. Altered: `facts` is null."""

    verdict: Literal["valid", "altered"]
    signed: bool
    facts: NoticeFacts | None


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


Verdict = Literal["valid", "cancelled", "replaced", "expired", "altered", "unknown", "not_ready"]


class CheckedDocument(Public):
    """What the office has signed in the QR code. Only for who has the document or its code."""

    exporter: str
    consignee: str
    origin: str
    items: int


DeclarationVerdict = Literal["valid", "unknown", "suspended", "expired", "not_this_signatory", "not_this_product"]


class DeclarationShown(Public):
    """The outcome of the check of an origin declaration. `reason`: more exactly why. Dates are ISO 8601."""

    verdict: DeclarationVerdict
    reason: str
    tone: Literal["calm", "good", "bad"]
    title: Bilingual
    meaning: Bilingual
    code: str
    valid_from: str | None
    valid_until: str | None


class BulkChecked(Public):
    """The outcome for one entry. `number`: its place in the request, from 1. `verdict`, `reason`: as in `CheckShown`.

    `exporter`, `consignee`: for comparison with the document, at most 60 characters each.
    """

    number: int
    verdict: Verdict
    reason: str
    reference: str | None
    form: str | None
    destination: str | None
    issued_on: str | None
    valid_until: str | None
    replaced_by: str | None
    exporter: str | None
    consignee: str | None


class BulkShown(Public):
    """The outcomes of the check of many certificates, in the order of the request."""

    checked_at: Instant
    results: tuple[BulkChecked, ...]


class CheckShown(Public):
    """The outcome of a check. `reason`: more exactly why. Dates are ISO 8601."""

    verdict: Verdict
    reason: str
    tone: Literal["calm", "good", "bad"]
    title: Bilingual
    meaning: Bilingual
    reference: str | None
    form: str | None
    destination: str | None
    issued_on: str | None
    valid_until: str | None
    replaced_by: str | None
    contingency_number: str | None
    document: CheckedDocument | None
