"""Products. A product is examined before any certificate for it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.certificates.domain.form import Criterion
from shared.refusals import Refused


class ProductStatus(StrEnum):
    """The state of the examination of a product."""

    REGISTERED = "registered"
    APPROVED = "approved"
    REFUSED = "refused"


class ProductNotFound(Refused):
    code = "product_not_found"


class ProductIdTaken(Refused):
    code = "product_id_taken"


class ProductAlreadyDecided(Refused):
    code = "product_already_decided"


class ProductNotApproved(Refused):
    code = "product_not_approved"


@dataclass(eq=False, kw_only=True)
class Product:
    """An exporter's product and how it originates."""

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

    def approve(self, officer: UUID) -> None:
        """A reviewer finds that the product originates as claimed."""
        self._must_be_open()
        self.status = ProductStatus.APPROVED
        self.decided_by = officer
        self.version += 1

    def refuse(self, officer: UUID, reason: str) -> None:
        """A reviewer finds that the product does not originate as claimed, for a reason."""
        self._must_be_open()
        self.status = ProductStatus.REFUSED
        self.decided_by = officer
        self.reason = reason
        self.version += 1

    def must_serve(self, exporter_id: UUID, field: str) -> None:
        """Refuses a product of another exporter, and one that is not approved."""
        if self.exporter_id != exporter_id:
            raise ProductNotFound(field, product=self.product_id)
        if self.status is not ProductStatus.APPROVED:
            raise ProductNotApproved(field, product=self.description, status=self.status)

    def _must_be_open(self) -> None:
        if self.status is not ProductStatus.REGISTERED:
            raise ProductAlreadyDecided("product_id", status=self.status)
