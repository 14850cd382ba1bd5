"""Checking a certificate before it is submitted: every problem of every box, together."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.certificates.issuing import Exhibition, InvoicingCompany, Item
from shared.contracts.fields import Country, FormName, Line, Office, Slug, Text
from shared.contracts.messages import Answer, Contract, Part, Question
from shared.contracts.roles import Role


class CheckLevel(StrEnum):
    """When a check refuses. `draft`: already the draft. `submit`: the submission. `note`: never, it is a hint only."""

    DRAFT = "draft"
    SUBMIT = "submit"
    NOTE = "note"


class BoxProblem(Contract):
    """What a check has found in a box. `item`: the number of the item, from 1. `fields`: as in a refusal of the submission.

    `check`: the name of the rule, and `source` its article or note. `text`: the problem and what to do, by language.
    """

    box: int
    item: int | None = None
    level: CheckLevel
    check: str
    source: str
    code: Slug
    fields: tuple[str, ...]
    values: dict[str, str] = Field(default_factory=dict)
    text: dict[str, str]


class DraftProblems(Answer):
    """All problems and notes, by box and item, at most 500. `count`: how many there are."""

    problems: tuple[BoxProblem, ...]
    count: int


class PartialConsignee(Part):
    """The fields of box 2 that are filled in already."""

    name: Line | None = None
    address: Text | None = None


class PartialTransport(Part):
    """The fields of box 3 that are filled in already."""

    departure_date: date | None = None
    vessel: Line | None = None
    port_of_discharge: Line | None = None
    route: Line | None = None


class PartialConsignment(Part):
    """The parts of a consignment that are filled in already. An item that is not complete is null, so that numbers stay."""

    office: Office | None = None
    destination: Country | None = None
    consignee: PartialConsignee = PartialConsignee()
    transport: PartialTransport = PartialTransport()
    items: Annotated[tuple[Item | None, ...], Field(max_length=2000)] = ()
    third_country_invoice: InvoicingCompany | None = None
    exhibition: Exhibition | None = None


class CheckDraft(Question):
    """What is wrong with this certificate, box by box? Nothing is stored. The submission refuses the same."""

    subject: ClassVar[str] = "qry.draft.check.v1"
    answer: ClassVar[type[Answer]] = DraftProblems
    permitted_by: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    exporter_id: UUID
    form: FormName = "D"
    consignment: PartialConsignment


class BoxCheck(Contract):
    """A rule of a form: its box, when it refuses, its source, and its meaning in English."""

    check: str
    box: int
    level: CheckLevel
    source: str
    meaning: str


class BoxChecks(Answer):
    """The rules of all boxes, by box."""

    checks: tuple[BoxCheck, ...]


class ListBoxChecks(Question):
    """Which rules does each box have?"""

    subject: ClassVar[str] = "qry.box-checks.list.v1"
    answer: ClassVar[type[Answer]] = BoxChecks
    under_mandate: ClassVar[bool] = True
