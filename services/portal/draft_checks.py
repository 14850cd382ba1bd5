"""What the service finds in the boxes of a form or draft, shown beside the fields before anything is submitted."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from services.portal.drafts import Draft
from services.portal.filing_places import label, where
from services.portal.visit import Visit
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.certificates.checking import (
    BoxProblem,
    CheckDraft,
    CheckLevel,
    DraftProblems,
    PartialConsignee,
    PartialConsignment,
    PartialTransport,
)
from shared.contracts.certificates.issuing import Consignment, Exhibition, InvoicingCompany, Item

M = TypeVar("M", bound=BaseModel)

SHOWN_LIVE = frozenset({"departed_already", "invoice_in_future"})
"""Notes that a script shows beside the date while a person types."""


def filled_in(values: Mapping[str, Any]) -> PartialConsignment:
    """The parts of a form that are complete."""
    head = _readable(PartialConsignment, {name: values[name] for name in ("office", "destination") if name in values})
    return PartialConsignment(
        office=head.office,
        destination=head.destination,
        consignee=_readable(PartialConsignee, values.get("consignee", {})),
        transport=_readable(PartialTransport, values.get("transport", {})),
        items=tuple(_complete(Item, each) for each in values.get("items", ())),
        third_country_invoice=_complete(InvoicingCompany, values.get("third_country_invoice")),
        exhibition=_complete(Exhibition, values.get("exhibition")),
    )


def _complete(kind: type[M], values: Mapping[str, Any] | None) -> M | None:
    """A part with what was typed; None if something is missing or wrong."""
    try:
        return kind.model_validate_json(to_json(values)) if values else None
    except ValidationError:
        return None


def _readable(kind: type[M], values: Mapping[str, Any]) -> M:
    """A part with those of its fields that can be read. None of its fields is required."""
    readable = {name: value for name, value in values.items() if _complete(kind, {name: value})}
    return kind.model_validate_json(to_json(readable))


async def problems_of(visit: Visit, draft: Draft) -> tuple[BoxProblem, ...]:
    """What to correct in a form that was saved, by box. Nothing if the service does not answer."""
    if not draft.version:
        return ()
    exporter_id = UUID(draft.value("exporter") or str(visit.company))
    return await _found(visit, exporter_id, draft.form, filled_in(draft.consignment()))


async def problems_in(visit: Visit, exporter_id: UUID, form: str, consignment: Consignment) -> tuple[BoxProblem, ...]:
    """What to correct in a draft that the service has, by box."""
    return await _found(visit, exporter_id, form, PartialConsignment.model_validate(consignment.model_dump()))


async def _found(visit: Visit, exporter_id: UUID, form: str, consignment: PartialConsignment) -> tuple[BoxProblem, ...]:
    try:
        found: DraftProblems = await visit.ask(CheckDraft(exporter_id=exporter_id, form=form, consignment=consignment))
    except (AskRefused, NobodyAnswers, TimeoutError):
        return ()
    return found.problems


def must_be_corrected(problems: Iterable[BoxProblem]) -> list[BoxProblem]:
    """The problems with which a certificate cannot be submitted."""
    return [each for each in problems if each.level is not CheckLevel.NOTE]


def sentence_of(visit: Visit, problem: BoxProblem) -> str:
    """The problem and what to do, in the language of the page."""
    return problem.text.get(visit.language.code) or problem.text["en"]


def advise(visit: Visit, problems: Iterable[BoxProblem]) -> None:
    """Shows each problem beside its fields."""
    for each in problems:
        for field in each.fields if each.code not in SHOWN_LIVE else ():
            visit.form.advise(field, sentence_of(visit, each))


def linked(visit: Visit, form_id: UUID, problems: Iterable[BoxProblem]) -> list[tuple[str, str, str]]:
    """Each problem with the address of its field, its box and field, and its sentence."""
    _ = visit.language.gettext
    return [
        (
            where(form_id, each.fields[0]),
            _("Box %(number)s") % {"number": each.box} + f" · {label(visit.language, each.fields[0])}",
            sentence_of(visit, each),
        )
        for each in problems
    ]
