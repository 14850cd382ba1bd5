"""The file of origin rules of one form, as an operator loads it. Rules are data that an agreement changes."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.certificates.origin import FormName, RvcMethod, StatedFigure
from shared.contracts.fields import Country, Line, Sha256, Slug
from shared.contracts.messages import Answer, Contract, OperatorCommand, OperatorQuestion, Part

MAX_LINES = 20_000
MAX_PARTS = 50
MAX_PART = 200_000
"""Maximum parts of a file, and characters of a part. With Khmer texts a part still fits into one message."""
RuleText = Annotated[str, StringConstraints(min_length=1, max_length=500)]
HsPrefix = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,11}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


class BothLanguages(Part):
    """A text in both languages."""

    en: Line
    km: Line


class ProcessFile(Part):
    """A process, with other names of it in cost statements."""

    text: BothLanguages
    aliases: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()


class ProcessRuleFile(Part):
    """The processes of criterion SP: all of one of the sets."""

    text: BothLanguages
    any_of: Annotated[
        tuple[Annotated[tuple[Slug, ...], Field(min_length=1, max_length=20)], ...], Field(min_length=1, max_length=50)
    ]


class GeneralRuleFile(Part):
    """The rule for goods without a rule of their own."""

    rule: RuleText
    article: Line


class ProductRuleFile(Part):
    """The rule for some HS codes: chapters, headings, subheadings or national lines.

    `process_rules`: the names of the rules of criterion SP, any of which suffices. `part_of_subheading`: the treaty names
    only a part of these goods.
    """

    hs: Annotated[tuple[HsPrefix, ...], Field(min_length=1, max_length=MAX_LINES)]
    rule: RuleText
    article: Line
    process_rules: Annotated[tuple[Slug, ...], Field(max_length=10)] = ()
    part_of_subheading: bool = False


class DeMinimisFile(Part):
    """How much of the FOB value may fail the change of tariff classification, in percent."""

    percent: StatedFigure
    article: Line


class AccumulationFile(Part):
    """Materials of other members count as originating."""

    article: Line


class PartialCumulationFile(Part):
    """The regional value content, in percent, of goods that count in part as a material: `least` <= RVC < `below`."""

    least: StatedFigure
    below: StatedFigure
    article: Line


class MinimalOperationsFile(Part):
    """Processes that never confer origin."""

    processes: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=50)]
    article: Line


class NeverEnoughFile(Part):
    """Processes that do not meet criterion SP by themselves."""

    processes: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=50)]
    article: Line


class CheckFile(Part):
    """What an officer examines besides the figures: a question with yes or no."""

    article: Line
    text: BothLanguages


class OriginRulesFile(Part):
    """All origin rules of one form, as one state applies them from a day on.

    `criteria`: those that box 8 of the form can have. `rvc_method`: the one that this state uses. `complete`: whether the
    agreement's list of product rules is in the file; otherwise a worksheet says that it is not loaded.
    """

    form: FormName
    agreement: Line
    version: Version
    valid_from: date
    country: Country
    source: Line
    hs_edition: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = None
    members: Annotated[tuple[Country, ...], Field(min_length=1, max_length=300)]
    criteria: Annotated[tuple[Literal["WO", "PE", "RVC", "CC", "CTH", "CTSH", "SP"], ...], Field(min_length=1, max_length=10)]
    rvc_method: RvcMethod
    general_rule: GeneralRuleFile
    product_rules: Annotated[tuple[ProductRuleFile, ...], Field(max_length=MAX_LINES)] = ()
    complete: bool = False
    de_minimis: DeMinimisFile | None = None
    accumulation: AccumulationFile | None = None
    partial_cumulation: PartialCumulationFile | None = None
    minimal_operations: MinimalOperationsFile | None = None
    processes: Annotated[dict[Slug, ProcessFile], Field(max_length=500)] = Field(default_factory=dict)
    process_rules: Annotated[dict[Slug, ProcessRuleFile], Field(max_length=100)] = Field(default_factory=dict)
    never_enough: NeverEnoughFile | None = None
    checks: Annotated[tuple[CheckFile, ...], Field(max_length=50)] = ()


class OriginRulesLoaded(Answer):
    """How far a file is loaded. `complete`: its rules are used from their day on. `unchanged`: they were loaded before."""

    about: ClassVar[str] = "rule_set_id"
    about_noun: ClassVar[str] = "origin_rules"
    rule_set_id: UUID
    received: int
    complete: bool
    unchanged: bool = False


class LoadOriginRules(OperatorCommand):
    """Loads one part of a file of origin rules. Its rules are used after the last part only; a repeated part changes nothing.

    `content`: a part of the file as JSON in one canonical form. `sha256`: of the whole file, in UTF-8.
    """

    subject: ClassVar[str] = "ops.certificates.load-origin-rules.v1"
    answer: ClassVar[type[Answer]] = OriginRulesLoaded
    sha256: Sha256
    parts: Annotated[int, Field(ge=1, le=MAX_PARTS)]
    number: Annotated[int, Field(ge=1, le=MAX_PARTS)]
    content: Annotated[str, StringConstraints(min_length=1, max_length=MAX_PART)]


class ShownRule(Contract):
    """The rule for an HS code. `listed`: it is a rule of its own; otherwise the general rule. `processes`: those of SP."""

    rule: str
    article: str
    listed: bool
    part_of_subheading: bool
    processes: tuple[BothLanguages, ...] = ()


class ShownRules(Contract):
    """The rules of one form. `in_force`: they are used on the day of the question. `rule`: for its HS code, if it has one.

    `lines`: the number of HS codes with a rule of their own. `shipped`: they came with the release.
    """

    form: str
    agreement: str
    version: str
    valid_from: date
    source: str
    shipped: bool
    loaded_at: datetime | None = None
    in_force: bool
    general_rule: str
    lines: int
    complete: bool
    rvc_method: RvcMethod
    rule: ShownRule | None = None


class ShownOriginRules(Answer):
    """The rules that are known, by form, the latest first."""

    rules: tuple[ShownRules, ...]


class ShowOriginRules(OperatorQuestion):
    """Which origin rules are known, and which are in force on a day? `hs`: show the rule for this HS code too."""

    subject: ClassVar[str] = "ops.certificates.show-origin-rules.v1"
    answer: ClassVar[type[Answer]] = ShownOriginRules
    form: FormName | None = None
    hs: HsPrefix | None = None
    on: date | None = None
