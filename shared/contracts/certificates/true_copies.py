"""Certified true copies of issued certificates that were lost, stolen or destroyed. Source: ATIGA Annex 8, Rule 12."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.certificates.lists import READERS
from shared.contracts.fields import Instant, Line
from shared.contracts.messages import Answer, Command, Question
from shared.contracts.roles import Role


class TrueCopyStatus(StrEnum):
    """The status of a request for a certified true copy."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"


class TrueCopyState(Answer):
    """A certified true copy, from its request. `remark`: why it was refused. `sha256`: of the PDF, as soon as it is made."""

    request_id: UUID
    certificate_id: UUID
    reference: str
    status: TrueCopyStatus
    reason: str
    requested_at: Instant
    decided_on: date | None = None
    decided_by: UUID | None = None
    remark: str | None = None
    sha256: str | None = None


class RequestTrueCopy(Command):
    """The exporter asks for a certified true copy, within one year of the issue. `reason`: what has become of the original."""

    subject: ClassVar[str] = "cmd.true-copy.request.v1"
    answer: ClassVar[type[Answer]] = TrueCopyState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    request_id: UUID
    certificate_id: UUID
    reason: Line


class GrantTrueCopy(Command):
    """An officer certifies the copy. It has the date of the original, and the same validity."""

    subject: ClassVar[str] = "cmd.true-copy.grant.v1"
    answer: ClassVar[type[Answer]] = TrueCopyState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    step_up: ClassVar[bool] = True
    certificate_id: UUID
    request_id: UUID


class RefuseTrueCopy(Command):
    """An officer refuses the copy, with the reason."""

    subject: ClassVar[str] = "cmd.true-copy.refuse.v1"
    answer: ClassVar[type[Answer]] = TrueCopyState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    certificate_id: UUID
    request_id: UUID
    reason: Line


class TrueCopies(Answer):
    """Certified true copies of a certificate, latest first."""

    copies: tuple[TrueCopyState, ...]


class ListTrueCopies(Question):
    """Which certified true copies of this certificate were requested?"""

    subject: ClassVar[str] = "qry.true-copies.list.v1"
    answer: ClassVar[type[Answer]] = TrueCopies
    read_by: ClassVar[frozenset[Role]] = READERS
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class TrueCopyRequests(Answer):
    """Requests that wait for a decision, oldest first, at most 100."""

    copies: tuple[TrueCopyState, ...]


class ListTrueCopyRequests(Question):
    """Which requests for certified true copies wait for the officer's office? The headquarters see those of all offices."""

    subject: ClassVar[str] = "qry.true-copy-requests.list.v1"
    answer: ClassVar[type[Answer]] = TrueCopyRequests
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
