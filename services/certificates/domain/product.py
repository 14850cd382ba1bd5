"""Products. A product is examined before any certificate for it, and renewed every year."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.certificates.domain.examination import ExaminationRules
from services.certificates.domain.form import Criterion
from shared.refusals import Refused


class ProductStatus(StrEnum):
    """The state of the examination of a product. `renewing`: approved, and a renewal waits for an officer."""

    REGISTERED = "registered"
    APPROVED = "approved"
    RENEWING = "renewing"
    REFUSED = "refused"


class ProductNotFound(Refused):
    code = "product_not_found"


class ProductIdTaken(Refused):
    code = "product_id_taken"


class ProductAlreadyDecided(Refused):
    code = "product_already_decided"


class ProductNotApproved(Refused):
    code = "product_not_approved"


class ProductExpired(Refused):
    code = "product_expired"


class ApprovalNeedsReason(Refused):
    code = "approval_needs_reason"


@dataclass(eq=False, kw_only=True)
class Product:
    """An exporter's product and how it originates.

    `costs_version`: of its latest cost statement; None without one. `claim_met`: whether that reaches the criterion.
    `approved_costs_version`: of the statement by which it was approved; None without one.
    `valid_until`: the last day of the approval; None for a product that was approved before approvals had an end.
    """

    product_id: UUID
    exporter_id: UUID
    description: str
    hs_code: str
    criterion: Criterion
    handicraft: bool
    status: ProductStatus = ProductStatus.REGISTERED
    decided_by: UUID | None = None
    reason: str | None = None
    version: int = 1
    costs_version: int | None = None
    approved_costs_version: int | None = None
    claim_met: bool | None = None
    valid_until: date | None = None

    def state_costs(self, *, claim_met: bool, unchanged: bool, on: date, rules: ExaminationRules) -> None:
        """The exporter states its costs. `unchanged`: with the figures of the approved statement."""
        if self.status is ProductStatus.REFUSED:
            raise ProductAlreadyDecided("product_id", status=self.status)
        renews = self.status is not ProductStatus.REGISTERED
        self.costs_version = (self.costs_version or 0) + 1
        self.claim_met = claim_met
        self.version += 1
        if renews and unchanged and claim_met and rules.renewal_by_rule:
            self._approved_until(rules.valid_until(on))
        elif renews:
            self.status = ProductStatus.RENEWING

    def approve(self, officer: UUID, reason: str | None, on: date, rules: ExaminationRules) -> None:
        """A reviewer finds that the product originates as claimed. Against the worksheet, only for a reason."""
        self._must_wait()
        if self.claim_met is False and reason is None:
            raise ApprovalNeedsReason("reason", criterion=self.criterion.box_8)
        self._approved_until(rules.valid_until(on))
        self.decided_by = officer
        self.reason = reason
        self.version += 1

    def refuse(self, officer: UUID, reason: str) -> None:
        """A reviewer finds that the product does not originate as claimed, for a reason. A former approval stays in force."""
        self._must_wait()
        renews = self.status is ProductStatus.RENEWING
        self.status = ProductStatus.APPROVED if renews else ProductStatus.REFUSED
        self.decided_by = officer
        self.reason = reason
        self.version += 1

    def must_serve(self, exporter_id: UUID, field: str, on: date) -> None:
        """Refuses a product of another exporter, and one whose approval is not in force on a day."""
        if self.exporter_id != exporter_id:
            raise ProductNotFound(field, product=self.product_id)
        if self.status not in (ProductStatus.APPROVED, ProductStatus.RENEWING):
            raise ProductNotApproved(field, product=self.description, status=self.status)
        if self.valid_until is not None and self.valid_until < on:
            raise ProductExpired(field, product=self.description, day=self.valid_until)

    def _approved_until(self, day: date) -> None:
        self.status = ProductStatus.APPROVED
        self.valid_until = day
        self.approved_costs_version = self.costs_version

    def _must_wait(self) -> None:
        if self.status not in (ProductStatus.REGISTERED, ProductStatus.RENEWING):
            raise ProductAlreadyDecided("product_id", status=self.status)
