"""The end of an issued certificate: it is cancelled, or replaced by another one. Source: ATIGA Annex 8, Rules 9 and 29."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.certificates.issuing import CertificateState
from shared.contracts.fields import Country, Line, Reference, Slug, Text
from shared.contracts.messages import Answer, Command, Contract, Event, Question
from shared.contracts.roles import Role

REPLACED = "replaced"
"""The reason of a certificate that was cancelled because another one replaces it. No officer gives it."""


class CancelCertificate(Command):
    """An officer cancels an issued certificate, for a reason by its code. It is never valid again.

    `remarks`: for the exporter. `version`: as in `ApproveCertificate`.
    """

    subject: ClassVar[str] = "cmd.certificate.cancel.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    step_up: ClassVar[bool] = True
    certificate_id: UUID
    reason: Slug
    remarks: Text
    version: Annotated[int, Field(ge=1)] | None = None


class CancellationReason(Contract):
    """A reason for which an officer can cancel a certificate, as a code and as a sentence by language."""

    code: Slug
    text: dict[str, str]


class CancellationReasons(Answer):
    """The reasons that are in force today."""

    reasons: tuple[CancellationReason, ...]


class ListCancellationReasons(Question):
    """For which reasons can an issued certificate be cancelled? The codes are those of `CancelCertificate`."""

    subject: ClassVar[str] = "qry.cancellation-reasons.list.v1"
    answer: ClassVar[type[Answer]] = CancellationReasons
    under_mandate: ClassVar[bool] = True


class CertificateCancelled(Event):
    """An issued certificate was cancelled. The event contains only public data.

    `reason`: a code, and `detail` its sentence in English, the language of certificates. `replaced_by`: the certificate that
    replaces it, if there is one.
    """

    subject: ClassVar[str] = "evt.certificate.cancelled.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"gateway", "tracking"})
    about: ClassVar[str] = "certificate_id"
    known_by: ClassVar[str] = "reference"
    certificate_id: UUID
    reference: Reference
    destination: Country
    reason: Slug
    detail: Line
    replaced_by_id: UUID | None = None
    replaced_by: Reference | None = None
