"""Cost statements of products: what goods are made of and cost. They are in no event: they never leave certificates."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.certificates.origin import (
    MAX_MATERIALS,
    MAX_PROCESSES,
    CostStatement,
    FormName,
    Material,
    OriginAssessment,
    ShortText,
    StatedFigure,
)
from shared.contracts.certificates.products import ProductState
from shared.contracts.fields import Currency, Instant
from shared.contracts.messages import Answer, Command, Part, Question
from shared.contracts.roles import Role


class ValueBasis(StrEnum):
    """What the value of a material is: CIF at importation, or the price paid ex works (ATIGA Art. 29(2))."""

    CIF = "cif"
    EX_WORKS = "ex_works"


class CostedMaterial(Material):
    """A material with the day of its price."""

    basis: ValueBasis = ValueBasis.CIF
    priced_on: date | None = None


class ProductCosts(Part):
    """The cost statement of a product, for one unit or one lot. `costed_on`: the day of the figures, at most six months ago.

    `form`: the form by whose rules the origin is assessed. Amounts are in `currency`.
    """

    form: FormName = "D"
    costed_on: date
    fob: StatedFigure
    currency: Currency = "USD"
    wholly_obtained: bool = False
    processes: Annotated[tuple[ShortText, ...], Field(max_length=MAX_PROCESSES)] = ()
    labour: StatedFigure | None = None
    overhead: StatedFigure | None = None
    other: StatedFigure | None = None
    profit: StatedFigure | None = None
    materials: Annotated[tuple[CostedMaterial, ...], Field(max_length=MAX_MATERIALS)] = ()

    def statement(self, *, hs: str, goods: str) -> CostStatement:
        """The statement that is assessed, for goods with this HS code and description."""
        figures = {name: getattr(self, name) for name in CostStatement.model_fields if name in type(self).model_fields}
        return CostStatement(hs=hs, goods=goods, **figures)


class StateProductCosts(Command):
    """The exporter states the costs of a product. Before the examination it replaces them; later it is a yearly renewal.

    A renewal with the same figures that still meets the criterion is approved by rule. Otherwise an officer examines it, and
    the former approval stays in force until its end.
    """

    subject: ClassVar[str] = "cmd.product-costs.state.v1"
    answer: ClassVar[type[Answer]] = ProductState
    about: ClassVar[str] = "product_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    product_id: UUID
    costs: ProductCosts


class StatedCosts(Answer):
    """A cost statement with the worksheet that was made of it. `version`: the first statement of a product is 1.

    `claim_met`: whether the goods reach the criterion that the exporter claims for the product.
    """

    product_id: UUID
    version: int
    costs: ProductCosts
    assessment: OriginAssessment
    claim_met: bool
    stated_at: Instant
    stated_by: UUID | None = None


class GetProductCosts(Question):
    """The cost statement of a product; without `version` the latest. The exporter's own people and officers read it."""

    subject: ClassVar[str] = "qry.product-costs.get.v1"
    answer: ClassVar[type[Answer]] = StatedCosts
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.AUDITOR})
    about: ClassVar[str] = "product_id"
    product_id: UUID
    version: Annotated[int, Field(ge=1, le=1000)] | None = None
