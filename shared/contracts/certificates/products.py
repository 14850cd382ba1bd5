"""Products: goods of an exporter. The ministry examines their origin before any certificate."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from shared.contracts.fields import HsCode, Line, Text
from shared.contracts.messages import Answer, Command, Part
from shared.contracts.roles import Role


def _latin(text: str) -> str:
    if any(ord(c) > 0x24F for c in text):
        raise ValueError("a certificate is in English: use Latin letters (ATIGA Annex 8, Rule 7)")
    return text


LatinLine = Annotated[Line, AfterValidator(_latin)]
LatinText = Annotated[Text, AfterValidator(_latin)]


class CriterionKind(StrEnum):
    """The origin criteria (ATIGA Chapter 3)."""

    WO = "WO"
    RVC = "RVC"
    CC = "CC"
    CTH = "CTH"
    CTSH = "CTSH"
    SP = "SP"


class Criterion(Part):
    """An origin criterion. `percentage`: the regional value content, only for RVC."""

    kind: CriterionKind
    percentage: Annotated[Decimal, Field(ge=0, le=100, max_digits=12, decimal_places=9)] | None = None

    @model_validator(mode="after")
    def _percentage_goes_with_rvc(self) -> "Criterion":
        if (self.kind is CriterionKind.RVC) != (self.percentage is not None):
            raise ValueError("RVC needs a percentage, and no other criterion has one")
        return self


class ClaimedCriterion(Part):
    """An origin criterion as an exporter claims it. One that no form has is refused, and a percentage that is too low."""

    kind: Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
    percentage: Annotated[Decimal, Field(ge=0, le=100, max_digits=12, decimal_places=9)] | None = None

    @model_validator(mode="after")
    def _percentage_goes_with_rvc(self) -> "ClaimedCriterion":
        if (self.kind == CriterionKind.RVC) != (self.percentage is not None):
            raise ValueError("RVC needs a percentage, and no other criterion has one")
        return self


class ProductStatus(StrEnum):
    """The status of the examination of a product. `renewing`: approved, and a renewal waits for an officer."""

    REGISTERED = "registered"
    APPROVED = "approved"
    RENEWING = "renewing"
    REFUSED = "refused"


class ProductState(Answer):
    """A product as its exporter and the ministry see it. `valid_until`: the last day of its approval.

    `costs_version`: of its latest cost statement. `claim_met`: whether that statement reaches the criterion. `box_8`: the
    criterion in the words of box 8.
    """

    product_id: UUID
    exporter_id: UUID
    description: str
    hs_code: str
    criterion: Criterion
    box_8: str = ""
    status: ProductStatus
    reason: str | None = None
    handicraft: bool = False
    version: int
    costs_version: int | None = None
    claim_met: bool | None = None
    valid_until: date | None = None


class RegisterProduct(Command):
    """An exporter requests the examination of a product's origin. A certificate needs an approved product."""

    subject: ClassVar[str] = "cmd.product.register.v1"
    answer: ClassVar[type[Answer]] = ProductState
    about: ClassVar[str] = "product_id"
    permitted_by: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    product_id: UUID
    exporter_id: UUID
    description: LatinText
    hs_code: HsCode
    criterion: ClaimedCriterion
    handicraft: bool = False


class ApproveProduct(Command):
    """A reviewer finds that the product originates under the claimed criterion. Against the worksheet, `reason` is required."""

    subject: ClassVar[str] = "cmd.product.approve.v1"
    answer: ClassVar[type[Answer]] = ProductState
    about: ClassVar[str] = "product_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER})
    product_id: UUID
    reason: Text | None = None


class RefuseProduct(Command):
    """A reviewer finds that the product does not originate under the claimed criterion, with the reason."""

    subject: ClassVar[str] = "cmd.product.refuse.v1"
    answer: ClassVar[type[Answer]] = ProductState
    about: ClassVar[str] = "product_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER})
    product_id: UUID
    reason: Text
