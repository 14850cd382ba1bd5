"""Certified true copies of an issued certificate (ATIGA Annex 8, Rule 12)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.certificates.domain.certificate import Certificate
from services.certificates.domain.life_cycle import Status
from shared.clock import a_year_from
from shared.refusals import Refused


class TrueCopyNotPossible(Refused):
    code = "true_copy_not_possible"


class TrueCopyTooLate(Refused):
    code = "true_copy_too_late"


class TrueCopyRequestedAlready(Refused):
    code = "true_copy_requested_already"


class TrueCopyNotFound(Refused):
    code = "true_copy_not_found"


class TrueCopyDecided(Refused):
    code = "true_copy_decided"


class TrueCopyStatus(StrEnum):
    """The status of a request for a certified true copy."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"


@dataclass(eq=False, kw_only=True)
class TrueCopy:
    """A certified true copy, from its request. `sha256`, `key_id`, `locked_summary`: of its PDF, as soon as it is made."""

    request_id: UUID
    certificate_id: UUID
    office: str
    reason: str
    requested_at: datetime
    requested_by: UUID | None
    status: TrueCopyStatus = TrueCopyStatus.REQUESTED
    decided_on: date | None = None
    decided_by: UUID | None = None
    remark: str | None = None
    sha256: str | None = None
    key_id: str | None = None
    locked_summary: str | None = None

    def grant(self, certificate: Certificate, officer: UUID, on: date) -> None:
        """An officer certifies the copy."""
        self._must_be_open()
        must_be_copyable(certificate, on)
        self.status, self.decided_by, self.decided_on = TrueCopyStatus.GRANTED, officer, on

    def refuse(self, officer: UUID, on: date, remark: str) -> None:
        """An officer refuses the copy."""
        self._must_be_open()
        self.status, self.decided_by, self.decided_on, self.remark = TrueCopyStatus.REFUSED, officer, on, remark

    def _must_be_open(self) -> None:
        if self.status is not TrueCopyStatus.REQUESTED:
            raise TrueCopyDecided("request_id", status=self.status)


def must_be_copyable(certificate: Certificate, on: date) -> None:
    """Refuses a copy of a certificate that is not issued or no longer valid, and after a year from its issue (Rule 12).

    Raises TrueCopyNotPossible, TrueCopyTooLate.
    """
    if certificate.status is not Status.ISSUED or certificate.issued_on is None:
        raise TrueCopyNotPossible("certificate_id")
    if on > a_year_from(certificate.issued_on):
        raise TrueCopyTooLate("certificate_id")
