"""The nomenclature: an edition of the Harmonized System, or of a national tariff, with the codes in force from a day on."""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.fields import Line, Sha256, Text
from shared.contracts.messages import Answer, Contract, OperatorCommand, OperatorQuestion, Part, Question

MAX_LINES = 50_000
"""Maximum lines of an edition. The Harmonized System has about 7,000, and a national tariff up to 20,000."""
MAX_PART = 1000
"""Maximum lines of one command. With the longest descriptions they still fit into one message."""
MAX_FOUND = 20
"""Maximum lines of the answer to a search."""

NomenclatureCode = Annotated[str, StringConstraints(pattern=r"^(?:[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{8,11})$")]
"""A chapter, a heading, a subheading, or a national line."""
EditionName = Annotated[Line, StringConstraints(max_length=60)]
SearchText = Annotated[Line, StringConstraints(max_length=100)]


class NomenclatureLine(Part):
    """One line of an edition: its code and its description."""

    code: NomenclatureCode
    description: Annotated[Text, StringConstraints(max_length=500)]


class NomenclatureLoaded(Answer):
    """How far an edition is loaded. `complete`: it is valid from its day. `unchanged`: it was complete before."""

    about: ClassVar[str] = "edition_id"
    about_noun: ClassVar[str] = "nomenclature"
    edition_id: UUID
    received: int
    complete: bool
    unchanged: bool = False


class LoadNomenclature(OperatorCommand):
    """Loads a part of an edition. The edition is used after its last part only; a part that is sent again changes nothing.

    `size`: the number of all lines. `sha256`: of all lines in the order of their codes, each `CODE TAB DESCRIPTION LF`, UTF-8.
    """

    subject: ClassVar[str] = "ops.certificates.load-nomenclature.v1"
    answer: ClassVar[type[Answer]] = NomenclatureLoaded
    name: EditionName
    valid_from: date
    size: Annotated[int, Field(ge=1, le=MAX_LINES)]
    sha256: Sha256
    lines: Annotated[tuple[NomenclatureLine, ...], Field(min_length=1, max_length=MAX_PART)]


class NomenclatureEdition(Contract):
    """A complete edition. `in_force`: codes are checked with it today."""

    name: str
    valid_from: date
    loaded_at: datetime
    size: int
    in_force: bool


class FoundLine(Contract):
    """A line that was found. `within`: the descriptions of its chapter, heading and subheading, the chapter first."""

    code: str
    description: str
    within: tuple[str, ...] = ()


class FoundNomenclature(Answer):
    """The lines found, the most specific first, at most 20. `edition`: where; None if no edition is in force.

    `more`: there are more lines.
    """

    edition: str | None
    lines: tuple[FoundLine, ...] = ()
    more: bool = False


class SearchNomenclature(Question):
    """Which lines begin with this code, or contain each of these words or the beginning of one?"""

    subject: ClassVar[str] = "qry.nomenclature.search.v1"
    answer: ClassVar[type[Answer]] = FoundNomenclature
    under_mandate: ClassVar[bool] = True
    search: SearchText


class ShownNomenclature(Answer):
    """All complete editions, the latest first, and what was found in the one that is in force."""

    editions: tuple[NomenclatureEdition, ...]
    found: FoundNomenclature


class ShowNomenclature(OperatorQuestion):
    """Which editions are there, and which lines have this code or these words?"""

    subject: ClassVar[str] = "ops.certificates.show-nomenclature.v1"
    answer: ClassVar[type[Answer]] = ShownNomenclature
    search: SearchText | None = None
