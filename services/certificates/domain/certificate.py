"""The rules of a certificate of origin, from draft to issue.

Sources: ATIGA Annex 7 (Form D and overleaf notes) and Annex 8 (Operational Certification Procedures, `OCP`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from services.certificates.domain.boxes import must_be_sound
from services.certificates.domain.boxes.parties import must_be_registered
from services.certificates.domain.boxes.sheet import Sheet
from services.certificates.domain.boxes.transport import must_not_have_left_too_long_ago
from services.certificates.domain.consignment import BoxRemark, Consignment, OriginFinding
from services.certificates.domain.exporter import Exporter
from services.certificates.domain.form import Form
from services.certificates.domain.life_cycle import ALLOWED, IN_PROCESS, Act, AlreadySubmitted, NotAllowedNow, Status, waits_for
from services.certificates.domain.message import Side
from services.certificates.domain.original import Original, valid_until
from shared.refusals import Refused


class CertificateNotFound(Refused):
    code = "certificate_not_found"


class CertificateIdTaken(Refused):
    code = "certificate_id_taken"


class FourEyesRequired(Refused):
    code = "four_eyes_required"


class CertificateChanged(Refused):
    code = "certificate_changed"


class OtherOffice(Refused):
    code = "other_office"


class NotReplaceable(Refused):
    code = "certificate_not_replaceable"


class ReplacementUnderWay(Refused):
    code = "replacement_under_way"


@dataclass(eq=False, kw_only=True)
class Certificate:
    """A certificate of origin. Every act raises `version` by one. `agent_id`: the agent that drafted it, if an agent did.

    `drafted_at`, `status_since`: when it was drafted, and since when it has its status. `last_message_by`: the side that wrote
    the last message on it. `replaces_id`, `replaces`: the certificate that this one replaces, with its reference;
    `replaced_by_id`, `replaced_by`: the one that replaces it.
    """

    certificate_id: UUID
    exporter_id: UUID
    form: str
    consignment: Consignment
    office: str = field(init=False)
    status: Status = Status.DRAFT
    submission: int = 0
    submitted_on: date | None = None
    remarks: str | None = None
    worksheet: str | None = None
    reviewed_by: UUID | None = None
    approved_by: UUID | None = None
    held_because: str | None = None
    reference: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    issued_retroactively: bool = False
    agent_id: UUID | None = None
    box_remarks: Sequence[BoxRemark] | None = None
    reasons: Sequence[str] | None = None
    drafted_at: datetime | None = None
    status_since: datetime | None = None
    last_message_by: Side | None = None
    replaces_id: UUID | None = None
    replaces: str | None = None
    replaced_by_id: UUID | None = None
    replaced_by: str | None = None
    cancelled_on: date | None = None
    cancelled_because: str | None = None
    version: int = 1

    def __post_init__(self) -> None:
        self.office = self.consignment.office

    def revise(self, consignment: Consignment) -> None:
        """The exporter changes a draft or corrects a returned certificate."""
        self._must_allow(Act.REVISE)
        self.consignment = consignment
        self.office = consignment.office
        self.version += 1

    def discard(self) -> None:
        """The exporter discards a certificate that the ministry does not work on. This is final."""
        self._must_allow(Act.DISCARD)
        self.status = Status.DISCARDED
        self.version += 1

    def submit(self, on: date, sheet: Sheet, findings: Mapping[UUID, OriginFinding] | None = None) -> None:
        """The exporter submits the certificate. From now on only an officer may change it.

        `sheet`: its content and what is known about it. All problems of its boxes are refused together. `findings`: on the
        origin of each product, so that the certificate keeps the rules by which it was judged.
        """
        if self.status in (Status.SUBMITTED, Status.REVIEWED, Status.APPROVED, Status.ISSUED):
            raise AlreadySubmitted("certificate_id", status=self.status)
        self._must_allow(Act.SUBMIT)
        must_be_sound(sheet)
        self.consignment = self.consignment.found(findings or {})
        self.status = Status.SUBMITTED
        self.remarks = None
        self.box_remarks = None
        self.reviewed_by = None
        self.worksheet = None
        self.submission += 1
        self.submitted_on = on
        self.version += 1

    def was_submitted(self, submission: int) -> None:
        """Recovery: another service knows this submission, so the next one counts on from it."""
        self.submission = max(self.submission, submission)

    def withdraw(self) -> None:
        """The exporter withdraws it before it is approved. It can revise it and submit it again."""
        self._must_allow(Act.WITHDRAW)
        self.status = Status.WITHDRAWN
        self.consignment = self.consignment.found({})
        self.version += 1

    def return_for_correction(self, remarks: str, boxes: Sequence[BoxRemark] = ()) -> None:
        """An officer returns it for correction. The remarks say what to correct, also box by box."""
        self._must_allow(Act.RETURN)
        for index, remark in enumerate(boxes):
            self.consignment.must_have(remark, f"boxes.{index}.item")
        self.status = Status.RETURNED
        self.consignment = self.consignment.found({})
        self.remarks = remarks
        self.box_remarks = list(boxes)
        self.version += 1

    def review(self, officer: UUID, worksheet: str) -> None:
        """An officer finds it complete and the goods originating. The worksheet gives the reasons."""
        self._must_allow(Act.REVIEW)
        self.status = Status.REVIEWED
        self.reviewed_by = officer
        self.worksheet = worksheet
        self.version += 1

    def approve(self, officer: UUID) -> None:
        """A second officer approves it."""
        self._must_allow(Act.APPROVE)
        if officer == self.reviewed_by:
            raise FourEyesRequired()
        self.status = Status.APPROVED
        self.approved_by = officer
        self.version += 1

    def reject(self, reason: str, codes: Sequence[str] = ()) -> None:
        """An officer rejects it for a reason; also an approved certificate that is held. `codes`: the reasons as codes."""
        if self.status is not Status.APPROVED or not self.held_because:
            self._must_allow(Act.REJECT)
        self.status = Status.REJECTED
        self.remarks = reason
        self.reasons = list(dict.fromkeys(codes))
        self.held_because = None
        self.version += 1

    def must_be_changeable(self) -> None:
        """Refuses a change by the exporter, unless it is a draft or was returned or withdrawn. Raises NotAllowedNow."""
        self._must_allow(Act.REVISE)

    def must_be_in_process(self) -> None:
        """Refuses to assign a certificate on which no officer can decide. Raises NotAllowedNow."""
        if self.status not in IN_PROCESS:
            raise NotAllowedNow("certificate_id", status=self.status, act="assign")

    def must_be_as_seen(self, version: int | None) -> None:
        """Refuses an officer who has read another version. Raises CertificateChanged."""
        if version is not None and version != self.version:
            raise CertificateChanged("version")

    def must_be_issuable(self, on: date, exporter: Exporter | None, form: Form) -> None:
        """Refuses unless the exporter is registered that day and the goods left at most so long before as the form allows.

        Raises ExporterNotRegistered, DepartureTooLongAgo.
        """
        must_be_registered(exporter, on)
        must_not_have_left_too_long_ago(self.consignment.departure_date, on, form)

    def hold(self, because: str) -> None:
        """It is approved and paid but cannot be issued today. `because`: the code of the reason, which everybody can read."""
        self._must_allow(Act.HOLD)
        self.held_because = because
        self.version += 1

    def issue(self, reference: str, on: date, form: Form, originals: Sequence[Original] = ()) -> None:
        """It gets its number and is valid as long as the form says (OCP Rule 14), or its earliest original (Rule 11).

        After departure it is issued retroactively (Rule 10).
        """
        self._must_allow(Act.ISSUE)
        self.status = Status.ISSUED
        self.reference = reference
        self.held_because = None
        self.issued_on = on
        self.valid_until = valid_until(form.valid_until(on), originals)
        self.issued_retroactively = self.consignment.departure_date < on
        self.version += 1

    def must_be_replaceable(self, field: str = "replaces") -> None:
        """Refuses to replace a certificate that is not issued, or no longer valid. Raises NotReplaceable."""
        if Act.CANCEL not in ALLOWED[self.status]:
            raise NotReplaceable(field)

    def cancel(self, reason: str, on: date) -> None:
        """It is never valid again (OCP Rule 29). `reason`: its code, which is public."""
        self._must_allow(Act.CANCEL)
        self.status = Status.CANCELLED
        self.cancelled_on = on
        self.cancelled_because = reason
        self.version += 1

    def be_replaced_by(self, new: "Certificate", reason: str, on: date) -> None:
        """The new certificate is issued, so this one is cancelled. Both know each other (OCP Rule 29)."""
        self.must_be_replaceable()
        self.cancel(reason, on)
        self.replaced_by_id, self.replaced_by = new.certificate_id, new.reference

    def was_cancelled(
        self, reason: str, on: date, version: int, *, replaced_by_id: UUID | None, replaced_by: str | None
    ) -> None:
        """Recovery: another service knows that it was cancelled."""
        self.status = Status.CANCELLED
        self.cancelled_on = on
        self.cancelled_because = reason
        self.replaced_by_id, self.replaced_by = replaced_by_id, replaced_by
        self.version = version

    def was_issued(self, reference: str, on: date, valid_until: date, version: int, *, retroactively: bool) -> None:
        """Recovery: another service knows that it was issued. A certificate that was cancelled since stays so."""
        if self.status is Status.CANCELLED:
            return
        self.status = Status.ISSUED
        self.reference = reference
        self.held_because = None
        self.issued_on = on
        self.valid_until = valid_until
        self.issued_retroactively = retroactively
        self.version = version

    def waits_for(self, *, settled: bool) -> tuple[str, ...]:
        """What must happen before it is issued, as codes. Empty after a decision."""
        return waits_for(self.status, submission=self.submission, settled=settled, held_because=self.held_because)

    def _must_allow(self, act: Act) -> None:
        if act not in ALLOWED[self.status]:
            raise NotAllowedNow("certificate_id", status=self.status, act=act)
