"""Ends of a certificate before its issue: discarded by its exporter, withdrawn, or rejected."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.certificates.issuing import CertificateState, CertificateStatus
from shared.contracts.fields import Slug
from shared.contracts.messages import Answer, Command, Contract, Event, Question
from shared.contracts.roles import Role


class DiscardCertificate(Command):
    """The exporter discards a draft, or a certificate that was returned or withdrawn."""

    subject: ClassVar[str] = "cmd.certificate.discard.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class WithdrawCertificate(Command):
    """The exporter withdraws a submitted certificate that nobody has approved. It can revise it and submit it again."""

    subject: ClassVar[str] = "cmd.certificate.withdraw.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class CertificateClosed(Event):
    """A submission was withdrawn, rejected or discarded: no payment is accepted for it. The next submission opens it again."""

    subject: ClassVar[str] = "evt.certificate.closed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"fees"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    submission: int
    status: CertificateStatus


class RejectionReason(Contract):
    """A reason for which an officer can reject a certificate, as a code and as a sentence by language."""

    code: Slug
    text: dict[str, str]


class RejectionReasons(Answer):
    """The reasons that are in force today."""

    reasons: tuple[RejectionReason, ...]


class ListRejectionReasons(Question):
    """For which reasons can a certificate be rejected? The codes are those of `RejectCertificate`."""

    subject: ClassVar[str] = "qry.rejection-reasons.list.v1"
    answer: ClassVar[type[Answer]] = RejectionReasons
    under_mandate: ClassVar[bool] = True
