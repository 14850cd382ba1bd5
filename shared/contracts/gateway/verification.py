"""Verification: customs of the destination ask about a certificate, and its authority answers (Annex 8, Rules 18 and 19)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Country, Cursor, Reference, Slug, Text
from shared.contracts.messages import Answer, Command, Contract, Question
from shared.contracts.roles import Role

MAX_QUESTION = 500
"""Maximum characters of a question: those of a reason in a message."""
MAX_ITEMS = 2000


class VerificationOutcome(StrEnum):
    """The result of a verification."""

    CONFIRMED = "origin_confirmed"
    NOT_CONFIRMED = "origin_not_confirmed"
    NOT_GENUINE = "certificate_not_genuine"


class Verification(Contract):
    """A case. `ours`: whether our customs asked. `partner`: the other country. `items`: the numbers of items; none means all.

    `answer_by`: the last day of an answer; `close_by`: that of the whole case. `outcome`, `text`: the answer.
    """

    case_id: UUID
    ours: bool
    partner: str
    reference: str
    number: int
    reason: str
    question: str
    items: tuple[int, ...] = ()
    asked_at: datetime
    answer_by: date
    close_by: date
    answered_at: datetime | None = None
    outcome: VerificationOutcome | None = None
    text: str | None = None


class VerificationState(Answer):
    """A case after an act."""

    case: Verification


class Verifications(Answer):
    """One page of cases; open ones by their last day, closed ones by their number."""

    cases: tuple[Verification, ...]
    next: str | None = None


class AskVerification(Command):
    """Customs ask the issuing authority to verify a certificate. The officer chooses the id of the case."""

    subject: ClassVar[str] = "cmd.verification.ask.v1"
    answer: ClassVar[type[Answer]] = VerificationState
    about: ClassVar[str] = "case_id"
    about_noun: ClassVar[str] = "verification"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.CUSTOMS_OFFICER})
    case_id: UUID
    origin: Country
    reference: Reference
    reason: Slug
    question: Annotated[Text, Field(max_length=MAX_QUESTION)]
    items: Annotated[tuple[Annotated[int, Field(ge=1, le=MAX_ITEMS)], ...], Field(max_length=MAX_ITEMS)] = ()


class AnswerVerification(Command):
    """An officer of the issuing authority answers a question of a partner's customs."""

    subject: ClassVar[str] = "cmd.verification.answer.v1"
    answer: ClassVar[type[Answer]] = VerificationState
    about: ClassVar[str] = "case_id"
    about_noun: ClassVar[str] = "verification"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    case_id: UUID
    outcome: VerificationOutcome
    text: Text


class ListVerifications(Question):
    """Which cases are there? `ours`: those that our customs asked, else those of partners. `open`: without an answer."""

    subject: ClassVar[str] = "qry.verifications.list.v1"
    answer: ClassVar[type[Answer]] = Verifications
    asked_by: ClassVar[frozenset[Role]] = frozenset(
        {Role.REVIEWER, Role.APPROVER, Role.AUDITOR, Role.CUSTOMS_VIEWER, Role.CUSTOMS_OFFICER}
    )
    ours: bool = False
    open: bool = True
    after: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
