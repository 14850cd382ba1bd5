"""Assigning a certificate to the officer who works on it."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.fields import Instant
from shared.contracts.messages import Answer, Command
from shared.contracts.roles import Role


class Assignment(Answer):
    """The officer who works on a certificate, and until when. Both are None if nobody does."""

    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    assigned_to: UUID | None = None
    assigned_until: Instant | None = None


class AssignCertificate(Command):
    """An officer takes a certificate, so that no other officer decides on it. The assignment expires.

    `take_over`: also if it is assigned to another officer.
    """

    subject: ClassVar[str] = "cmd.certificate.assign.v1"
    answer: ClassVar[type[Answer]] = Assignment
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER})
    certificate_id: UUID
    take_over: bool = False


class ReleaseCertificate(Command):
    """An officer gives up the assignment of a certificate."""

    subject: ClassVar[str] = "cmd.certificate.release.v1"
    answer: ClassVar[type[Answer]] = Assignment
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER})
    certificate_id: UUID
