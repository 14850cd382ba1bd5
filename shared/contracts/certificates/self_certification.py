"""Self-certification: certified exporters make origin declarations themselves (ATIGA Annex 8, Rules 12A to 12D)."""

import hashlib
import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from unicodedata import normalize
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.certificates.products import LatinLine
from shared.contracts.fields import Cursor, Line, Text
from shared.contracts.messages import Answer, Command, Contract, Event, Part, Question
from shared.contracts.roles import Role

MAX_SIGNATORIES, MAX_GOODS = 50, 200
"""Bounds of a message. Dated data of certificates say how many signatories are permitted."""
OFFICERS = frozenset({Role.REVIEWER, Role.APPROVER, Role.AUDITOR})

CertifiedCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-CE-[0-9]{4}-[0-9]{4,6}$")]
"""The code of a certified exporter, such as KH-CE-2026-0001. It stands in each origin declaration."""


class CertifiedStatus(StrEnum):
    """The status of a certified exporter."""

    GRANTED = "granted"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


class Signatory(Part):
    """A person who signs origin declarations."""

    name: LatinLine
    position: LatinLine


Signatories = Annotated[tuple[Signatory, ...], Field(min_length=1, max_length=MAX_SIGNATORIES)]
ProductIds = Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MAX_GOODS)]


class CertifiedSignatory(Contract):
    """A signatory, from a day until another one, or until now."""

    name: str
    position: str
    since: date
    until: date | None = None


class CertifiedProduct(Contract):
    """A product for which declarations are made, from a day until another one, or until now."""

    product_id: UUID
    description: str
    hs_code: str
    since: date
    until: date | None = None


class CertifiedAct(Contract):
    """What an officer has done, and why. `user_id`: None if it followed from the registration."""

    act: str
    at: datetime
    reason: str
    user_id: UUID | None = None


class CertifiedExporterState(Answer):
    """A certified exporter with its signatories and products, also former ones, and the acts, the last first."""

    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID
    name: str
    code: str
    status: CertifiedStatus
    valid_from: date
    valid_until: date
    signatories: tuple[CertifiedSignatory, ...]
    products: tuple[CertifiedProduct, ...]
    acts: tuple[CertifiedAct, ...] = ()
    version: int


class GrantCertifiedExporter(Command):
    """An approver of the headquarters certifies an exporter: it gets a code for its origin declarations."""

    subject: ClassVar[str] = "cmd.certified-exporter.grant.v1"
    answer: ClassVar[type[Answer]] = CertifiedExporterState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    valid_until: date
    signatories: Signatories
    product_ids: ProductIds
    reason: Text


class ChangeCertifiedExporter(Command):
    """An approver of the headquarters changes period, signatories and products of a certified exporter."""

    subject: ClassVar[str] = "cmd.certified-exporter.change.v1"
    answer: ClassVar[type[Answer]] = CertifiedExporterState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    valid_until: date
    signatories: Signatories
    product_ids: ProductIds
    reason: Text


class SuspendCertifiedExporter(Command):
    """An approver of the headquarters suspends a certified exporter: its declarations do not count until it is reinstated."""

    subject: ClassVar[str] = "cmd.certified-exporter.suspend.v1"
    answer: ClassVar[type[Answer]] = CertifiedExporterState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    reason: Text


class ReinstateCertifiedExporter(Command):
    """An approver of the headquarters ends the suspension of a certified exporter."""

    subject: ClassVar[str] = "cmd.certified-exporter.reinstate.v1"
    answer: ClassVar[type[Answer]] = CertifiedExporterState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    reason: Text


class WithdrawCertifiedExporter(Command):
    """An approver of the headquarters withdraws the code of a certified exporter. This is final."""

    subject: ClassVar[str] = "cmd.certified-exporter.withdraw.v1"
    answer: ClassVar[type[Answer]] = CertifiedExporterState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    reason: Text


class GetCertifiedExporter(Question):
    """Is this exporter certified, for which products, and who signs?"""

    subject: ClassVar[str] = "qry.certified-exporter.get.v1"
    answer: ClassVar[type[Answer]] = CertifiedExporterState
    about: ClassVar[str] = "exporter_id"
    read_by: ClassVar[frozenset[Role]] = OFFICERS
    exporter_id: UUID


class ListedCertifiedExporter(Contract):
    """A row of the register."""

    exporter_id: UUID
    name: str
    code: str
    status: CertifiedStatus
    valid_from: date
    valid_until: date


class CertifiedExporters(Answer):
    """One page of the register, by code."""

    exporters: tuple[ListedCertifiedExporter, ...]
    next: str | None = None


class ListCertifiedExporters(Question):
    """Which exporters are or were certified?"""

    subject: ClassVar[str] = "qry.certified-exporters.list.v1"
    answer: ClassVar[type[Answer]] = CertifiedExporters
    asked_by: ClassVar[frozenset[Role]] = OFFICERS
    status: CertifiedStatus | None = None
    after: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class FoundExporter(Contract):
    """A registered exporter. `code`: if it is certified."""

    exporter_id: UUID
    name: str
    code: str | None = None


class FoundExporters(Answer):
    """The exporters found, by name, at most 20."""

    exporters: tuple[FoundExporter, ...]


class SearchExporters(Question):
    """Which registered exporters have this text in their name, or this id?"""

    subject: ClassVar[str] = "qry.exporters.search.v1"
    answer: ClassVar[type[Answer]] = FoundExporters
    asked_by: ClassVar[frozenset[Role]] = OFFICERS
    search: Annotated[Line, StringConstraints(max_length=100)] | None = None
    exporter_id: UUID | None = None


class DatedDigest(Contract):
    """The digest of a signatory's name, and in which period the person signs."""

    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    since: date
    until: date | None = None


class DatedGoods(Contract):
    """The subheading of a product, and in which period it is certified."""

    subheading: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
    since: date
    until: date | None = None


class Period(Contract):
    """A period of days: from `since`, before `until`; without an end it lasts."""

    since: date
    until: date | None = None


class CertifiedExporterChanged(Event):
    """A certified exporter has changed. The public site checks declarations with it, so it has digests and no names."""

    subject: ClassVar[str] = "evt.certified-exporter.changed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"tracking"})
    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID
    code: CertifiedCode
    status: CertifiedStatus
    valid_from: date
    valid_until: date
    withdrawn_on: date | None = None
    suspensions: tuple[Period, ...] = ()
    signatories: tuple[DatedDigest, ...]
    goods: tuple[DatedGoods, ...]


def digest_of_name(code: str, name: str) -> str:
    """The digest of a name under a code. Case, accents, punctuation and spaces make no difference."""
    plain = "".join(char for char in normalize("NFKD", name.casefold()) if not 0x300 <= ord(char) < 0x370)
    words = re.sub(r"[\W_]+", " ", plain).strip()
    return hashlib.sha256(f"{code}\n{words}".encode()).hexdigest()
