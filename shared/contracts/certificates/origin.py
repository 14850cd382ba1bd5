"""The assessment of origin: a cost statement, and the worksheet that an assessment makes of it."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.contracts.fields import Currency, OptionalLine
from shared.contracts.messages import Answer, Contract, Part, Question
from shared.contracts.roles import Role

MAX_MATERIALS = 1000
MAX_PROCESSES = 50
PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"


def _figure(value: object) -> object:
    """A number that is written out. A binary fraction is refused, because it is not exact."""
    if isinstance(value, Decimal):
        value = f"{value:f}" if value.is_finite() and abs(value.adjusted()) < 20 else str(value)
    if isinstance(value, str):
        whole, _, decimals = value.removeprefix("-").partition(".")
        written = value.isascii() and whole.isdecimal() and (decimals.isdecimal() or "." not in value)
        if written and len(whole) <= 12 and len(decimals) <= 6:
            return value
    raise PydanticCustomError(
        "decimal_parsing",
        'write the number as text with digits and a point, such as "1250.50": no exponent, no thousands separator, '
        "at most 12 digits before the point and 6 after it",
    )


StatedFigure = Annotated[
    Decimal, BeforeValidator(_figure, json_schema_input_type=str), WithJsonSchema({"type": "string", "pattern": PATTERN})
]
"""An amount or a percentage, written as text, so that it is exact."""
FormName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{0,11}$")]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
StatedHs = Annotated[str, StringConstraints(min_length=1, max_length=20)]
StatedCountry = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Description = Annotated[OptionalLine, Field(max_length=120)]


class Material(Part):
    """One material. `value`: CIF at importation, or the earliest ascertained price paid, in the currency of the statement.

    `originating`: whether a certificate, or a producer in the exporting state, shows that it originates in `origin`. If it
    is not stated, a material from the exporting state originates (ATIGA Art. 29(5)), and every other one does not.
    `pc_share`: the percentage in box 8 of its certificate for partial cumulation, such as 25 (Art. 30(2)).
    """

    description: Description = ""
    hs: StatedHs
    value: StatedFigure
    origin: StatedCountry | None = None
    originating: bool | None = None
    pc_share: StatedFigure | None = None


class CostStatement(Part):
    """What goods are made of and what they cost, for one unit or one lot.

    `processes`: what is done in the exporting state. `wholly_obtained`: grown, caught or mined there (Art. 27).
    """

    goods: OptionalLine = ""
    hs: StatedHs
    fob: StatedFigure
    currency: Currency = "USD"
    wholly_obtained: bool = False
    processes: Annotated[tuple[ShortText, ...], Field(max_length=MAX_PROCESSES)] = ()
    labour: StatedFigure | None = None
    overhead: StatedFigure | None = None
    other: StatedFigure | None = None
    profit: StatedFigure | None = None
    materials: Annotated[tuple[Material, ...], Field(max_length=MAX_MATERIALS)]


class Sentence(Contract):
    """A statement on the worksheet: its code, and its text in both languages."""

    code: str
    en: str
    km: str


class RvcMethod(StrEnum):
    """How a state computes the regional value content (Art. 29)."""

    DIRECT = "direct"
    INDIRECT = "indirect"


class Standing(StrEnum):
    """What a material counts as."""

    DOMESTIC = "domestic"
    PRESUMED = "presumed"
    ACCUMULATED = "accumulated"
    PARTLY = "partly"
    NON_ORIGINATING = "non_originating"


class Gap(Contract):
    """What is missing to meet one criterion.

    `value`: so much more originating value, or so much less value of the failing materials. `materials`: the numbers of the
    failing materials. `processes`: sets of processes, one of which would suffice.
    """

    criterion: str
    value: Decimal | None = None
    materials: tuple[int, ...] = ()
    processes: tuple[tuple[str, ...], ...] = ()


class OriginAlternative(Contract):
    """One alternative of the rule: whether it is met, with the text of box 8 and the ticks of box 13 if it is.

    `counts`: false if it holds only for the other goods of a subheading of which the treaty names a part.
    """

    rule: str
    met: bool
    counts: bool
    box8: str | None
    box13: tuple[str, ...]
    reasons: tuple[Sentence, ...]
    missing: tuple[Gap, ...]


class MaterialVerdict(Contract):
    """What one material counts as. `change`: the widest change of classification to the goods: CC, CTH, CTSH or none.

    `fails`: the criteria of the rule that it does not meet.
    """

    number: int
    description: str
    hs: str
    origin: str | None
    value: Decimal
    standing: Standing
    originating_value: Decimal
    non_originating_value: Decimal
    pc_share: Decimal | None
    change: str | None
    fails: tuple[str, ...]


class RegionalValueContent(Contract):
    """The regional value content by one method: `part` of `fob`. `percent` is rounded down to two decimals."""

    method: RvcMethod
    part: Decimal
    fob: Decimal
    percent: Decimal
    applied: bool


class AppliedRules(Contract):
    """The rules of an assessment. `shipped`: they came with this release; otherwise an operator has loaded them."""

    form: str
    agreement: str
    version: str
    valid_from: date
    country: str
    source: str
    shipped: bool


class WorksheetProcess(Contract):
    """A process as it was stated. `known`: the rules know it. `minimal`: it never confers origin (Art. 31)."""

    code: str
    en: str
    km: str
    known: bool
    minimal: bool


class WorksheetCheck(Contract):
    """What an officer examines besides the figures: a question with yes or no."""

    article: str
    en: str
    km: str


class OriginWorksheet(Contract):
    """Every figure of an assessment. `listed`: a rule for this HS code is loaded; otherwise the general rule applies.

    `tolerated_value`: how much of the materials may fail the change of classification (Art. 33).
    """

    goods: str
    hs: str
    assessed_on: date
    rules: AppliedRules
    rule: str
    article: str
    listed: bool
    part_of_subheading: bool
    currency: str
    fob: Decimal
    materials_value: Decimal
    originating_value: Decimal
    non_originating_value: Decimal
    labour: Decimal | None
    overhead: Decimal | None
    other: Decimal | None
    profit: Decimal | None
    stated_total: Decimal
    tolerated_value: Decimal | None
    rvc: tuple[RegionalValueContent, ...]
    wholly_obtained: bool
    processes: tuple[WorksheetProcess, ...]
    materials: tuple[MaterialVerdict, ...]
    notes: tuple[Sentence, ...]
    checks: tuple[WorksheetCheck, ...]
    box8: str | None
    box13: tuple[str, ...]


class ClaimVerdict(Contract):
    """Whether the goods reach a criterion that the exporter claims in the words of box 8. `box13`: the ticks that follow."""

    criterion: str
    met: bool
    box13: tuple[str, ...] = ()


class OriginAssessment(Answer):
    """Whether goods originate, why, and what is missing. An officer decides; this is the arithmetic.

    `box8`: the text of box 8 for the alternative that needs the fewest reliefs and figures; None if the goods do not originate.
    `pc_offer`: the text of box 8 for partial cumulation, if the goods can be offered for it; it gives no preference by itself.
    """

    qualifies: bool
    box8: str | None
    box13: tuple[str, ...]
    alternatives: tuple[OriginAlternative, ...]
    pc_offer: str | None
    claim: ClaimVerdict | None = None
    reasons: tuple[Sentence, ...]
    worksheet: OriginWorksheet


class AssessOrigin(Question):
    """Do these goods originate, by the rules in force on this day? Nothing is stored. `claim`: in the words of box 8."""

    subject: ClassVar[str] = "qry.origin.assess.v1"
    answer: ClassVar[type[Answer]] = OriginAssessment
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY, Role.REVIEWER, Role.APPROVER, Role.AUDITOR})
    under_mandate: ClassVar[bool] = True
    form: FormName = "D"
    on: date | None = None
    claim: ShortText | None = None
    statement: CostStatement
