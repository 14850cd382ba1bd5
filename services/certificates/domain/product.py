"""The examination of a product, which comes before any certificate for it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.certificates.domain.form import Criterion
from shared.refusals import Refused


class ProductStatus(StrEnum):
    """Where the examination of a product stands."""

    REGISTERED = "registered"
    APPROVED = "approved"
    REFUSED = "refused"


class ProductNotFound(Refused):
    """There is no such product."""

    code = "product_not_found"


class ProductIdTaken(Refused):
    """This product id is in use: choose a new one."""

    code = "product_id_taken"


class ProductAlreadyDecided(Refused):
    """The product has been examined already: register it anew to have it examined again."""

    code = "product_already_decided"


class ProductNotApproved(Refused):
    """The product's origin has not been approved: no certificate can be asked for it yet."""

    code = "product_not_approved"


@dataclass(eq=False)
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
        """A reviewer finds that it originates as claimed."""
        self._must_be_open()
        self.status, self.decided_by = ProductStatus.APPROVED, officer
        self.version += 1

    def refuse(self, officer: UUID, reason: str) -> None:
        """A reviewer finds that it does not, with the reason."""
        self._must_be_open()
        self.status, self.decided_by, self.reason = ProductStatus.REFUSED, officer, reason
        self.version += 1

    def must_serve(self, exporter_id: UUID, field: str) -> None:
        """Refuses unless the product is this exporter's and approved."""
        if self.exporter_id != exporter_id:
            raise ProductNotFound(f"There is no product {self.product_id} of this exporter.", field)
        if self.status is not ProductStatus.APPROVED:
            raise ProductNotApproved(f"{self.description} is {self.status}.", field)

    def _must_be_open(self) -> None:
        if self.status is not ProductStatus.REGISTERED:
            raise ProductAlreadyDecided(f"This product is {self.status}.", "product_id")
