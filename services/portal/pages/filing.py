"""Filling in a certificate, step by step. The form is saved as one types, and with each step."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, RedirectResponse, Response

from services.portal.draft_checks import advise, linked, must_be_corrected, problems_of
from services.portal.drafts import ITEM, PARTIES, TRANSPORT, Draft
from services.portal.filing_places import address_of, step_of
from services.portal.forms import FormInvalid
from services.portal.names import Names
from services.portal.navigation import FILING
from services.portal.page import page
from services.portal.saved_forms import ChangedInAnotherTab
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from shared.contracts.certificates.checking import BoxProblem
from shared.contracts.certificates.forms import ListedForm, ListedForms, ListForms
from shared.contracts.certificates.issuing import CertificateState, GetCertificate
from shared.contracts.certificates.lists import KnownConsignee, KnownConsignees, ListConsignees

THEN = "then"
"""The field of the pressed button: `save` for the automatic saving, otherwise what to do after the step."""
NOT_FOUND = "certificate_not_found"


async def load(visit: Visit) -> Draft:
    """The form of the page, empty if nothing was saved yet."""
    form_id = visit.id("form_id")
    saved = await visit.saved.find(visit.someone.user_id, address_of(form_id))
    if saved is None:
        return Draft(form_id=form_id)
    fields = {name: values[0] for name, values in saved.fields.items() if values}
    return Draft(form_id=form_id, fields=fields, version=saved.version)


async def store(visit: Visit, draft: Draft, version: int | None = None) -> int:
    """Saves a form. `version`: the one that the page has shown. Raises ChangedInAnotherTab unless it is saved already."""
    if not draft.value("exporter"):
        draft = draft.changed({"exporter": str(visit.company)})
    fields = json.dumps({name: [value] for name, value in draft.fields.items()})
    try:
        return await visit.saved.save(visit.someone.user_id, address_of(draft.form_id), fields, visit.now, version)
    except ChangedInAnotherTab:
        saved = await load(visit)
        if saved.fields != draft.fields:
            raise
        return saved.version


async def sent_already(visit: Visit, draft: Draft) -> Response | None:
    """The page of the certificate if the form was sent before, such as after the button back."""
    if draft.version:
        return None
    ids = (draft.certificate_id, draft.form_id)
    states: Sequence[CertificateState | None] = await asyncio.gather(
        *(visit.ask_or(None, GetCertificate(certificate_id=each), NOT_FOUND, "not_yours") for each in ids)
    )
    sent = next((state for state in states if state is not None), None)
    return visit.go(f"{PREFIX}/certificates/{sent.certificate_id}") if sent else None


def shown_version(visit: Visit) -> int:
    """The version of the form that the page has shown."""
    typed = visit.form.text("version")
    return int(typed) if typed.isdigit() and len(typed) < 9 else 0


def steps_of(visit: Visit, draft: Draft, problems: Iterable[str]) -> list[tuple[str, str, bool]]:
    """The steps with their addresses, and whether each is complete."""
    _, wrong = visit.language.gettext, list(problems)
    begun = bool(draft.version)

    def complete(*names: str) -> bool:
        return begun and not any(field.startswith(names) for field in wrong)

    return [
        (
            _("Consignee"),
            address_of(draft.form_id, "consignee"),
            complete(*PARTIES, "consignment.consignee"),
        ),
        (_("Transport"), address_of(draft.form_id, "transport"), complete("consignment.transport")),
        (_("Goods"), address_of(draft.form_id, "goods"), complete(ITEM)),
        (_("Check and submit"), address_of(draft.form_id, "review"), False),
    ]


async def show_step(
    visit: Visit, template: str, draft: Draft, step: str, problems: Sequence[BoxProblem] | None = None, **values: Any
) -> Response:
    """Renders a step of a form, with what to correct in its fields before the submission.

    `problems`: what the service has found, if it was asked already.
    """
    visit.form.defaults(draft.fields)
    _, missing = draft.checked(visit.language)
    problems = await problems_of(visit, draft) if problems is None else problems
    wrong = must_be_corrected(problems)
    advise(visit, problems)
    number = values.get("number")
    this = step if number is None else f"{step}/{number + 1}"
    return visit.page(
        template,
        draft=draft,
        names=Names(visit.language),
        steps_shown=steps_of(visit, draft, [*(field for field, _ in missing), *(each.fields[0] for each in wrong)]),
        advice=linked(visit, draft.form_id, [each for each in wrong if step_of(each.fields[0]) == this]),
        here=address_of(draft.form_id, step),
        today=visit.context.clock.today(),
        conflict=getattr(visit.request.state, "conflict", False),
        remarks=draft.remarks(step, values.get("number")),
        **values,
    )


async def save_step(visit: Visit, draft: Draft, fields: Iterable[str], *, required: bool = False) -> Response | None:
    """Saves a step. Returns the answer to the automatic saving; None if the page goes on.

    `fields`: those of the step. An unreadable value is an error; a missing one is told on the last step unless `required`.
    Raises FormInvalid.
    """
    automatic, _ = visit.form.text(THEN) == "save", visit.language.gettext
    try:
        version = await store(visit, draft, shown_version(visit))
    except ChangedInAnotherTab as changed:
        sentence = changed.sentence(visit.language.code)
        if automatic:
            return JSONResponse({"sentence": sentence, "conflict": True}, 409)
        visit.request.state.conflict = True
        visit.form.fail("", sentence)
        raise FormInvalid from None
    if automatic:
        at = visit.language.instant(visit.now, "HH:mm:ss")
        return JSONResponse({"version": version, "sentence": _("Saved at %(time)s.") % {"time": at}})
    names = set(fields)
    for name, sentence in draft.checked(visit.language)[1]:
        if name in names and (required or draft.value(name)):
            visit.form.fail(name, sentence)
    visit.form.must_be_valid()
    return None


@dataclass(frozen=True)
class Step:
    """A step with a fixed set of fields."""

    name: str
    template: str
    fields: tuple[str, ...]
    following: str
    more: Callable[[Visit, Draft], Awaitable[dict[str, Any]]]
    complete: Callable[[Visit, Draft], Awaitable[Draft]]

    async def show(self, visit: Visit) -> Response:
        """The step with what is saved."""
        draft = await load(visit)
        if elsewhere := await sent_already(visit, draft):
            return elsewhere
        return await show_step(visit, self.template, draft, self.name, **await self.more(visit, draft))

    async def act(self, visit: Visit) -> Response:
        """Saves the step and goes to the next one."""
        draft = (await load(visit)).typed(visit.form.fields, self.fields)
        if visit.form.text(THEN) != "save":
            draft = await self.complete(visit, draft)
        if answer := await save_step(visit, draft, self.fields):
            return answer
        if visit.form.text("consignee"):
            return visit.go(address_of(draft.form_id, self.name))
        return visit.go(address_of(draft.form_id, self.following))


async def known_consignees(visit: Visit, search: str | None = None) -> list[KnownConsignee]:
    """The consignees of earlier certificates, the last used first."""
    asked = ListConsignees(exporter_id=visit.company, search=search, limit=50)
    found: KnownConsignees = await visit.ask(asked)
    return list(found.consignees)


async def listed_forms(visit: Visit) -> Sequence[ListedForm]:
    """All forms of certificates, those that can be chosen first."""
    found: ListedForms = await visit.ask(ListForms())
    return found.forms


async def _forms_and_consignees(visit: Visit, draft: Draft) -> dict[str, Any]:
    forms, names = await listed_forms(visit), Names(visit.language)
    available = [each for each in forms if each.available]
    return {
        "consignees": await known_consignees(visit),
        "forms": available,
        "not_available": [each for each in forms if not each.available],
        "countries": names.countries(()),
        "destinations": [(each, _destinations(visit, each, available, names)) for each in available],
    }


def _destinations(visit: Visit, form: ListedForm, available: Sequence[ListedForm], names: Names) -> list[tuple[str, str]]:
    """The countries that a form serves. A form for all countries leaves out those that another form names."""
    named = {code for each in available for code in each.destinations} | {visit.settings.country}
    return [each for each in names.countries(form.destinations) if form.destinations or each[0] not in named]


async def _with_known_consignee(visit: Visit, draft: Draft) -> Draft:
    """Fills in address, destination and port of a known consignee. `consignee`: the name on the pressed button."""
    chosen = visit.form.text("consignee")[:200]
    name = chosen or draft.title()
    if not name or (not chosen and draft.value("consignment.consignee.address") and draft.value(TRANSPORT[2])):
        return draft
    known = next((each for each in await known_consignees(visit, name[:200]) if each.name == name), None)
    if known is None:
        return draft
    found = {
        "consignment.consignee.name": known.name,
        "consignment.consignee.address": known.address,
        "consignment.destination": known.destination,
        TRANSPORT[2]: known.port_of_discharge,
    }
    return draft.changed({field: value for field, value in found.items() if chosen or not draft.value(field)})


async def _nothing(visit: Visit, draft: Draft) -> dict[str, Any]:
    return {}


async def _unchanged(visit: Visit, draft: Draft) -> Draft:
    return draft


CONSIGNEE = Step("consignee", "filing_consignee.html", PARTIES, "transport", _forms_and_consignees, _with_known_consignee)
TRANSPORTING = Step("transport", "filing_transport.html", TRANSPORT, "goods", _nothing, _unchanged)


async def show_form(visit: Visit) -> Response:
    """Goes on where the person has stopped: to what a copy lacks, or to the first step."""
    draft = await load(visit)
    first = "complete" if draft.is_copy else "consignee"
    return RedirectResponse(address_of(draft.form_id, first), 303)


async def forget_form(visit: Visit) -> Response:
    """Deletes a form that was not sent."""
    await visit.saved.forget(visit.someone.user_id, address_of(visit.id("form_id")))
    return visit.go(f"{PREFIX}/certificates", done="form-deleted")


def filing_page(path: str, show: Any, act: Any = None) -> Any:
    """The route of a page below a form."""
    return page(f"/filing/{{form_id:uuid}}{path}", show, act, roles=FILING)


routes = [
    filing_page("", show_form),
    filing_page("/delete", show_form, forget_form),
    filing_page("/consignee", CONSIGNEE.show, CONSIGNEE.act),
    filing_page("/transport", TRANSPORTING.show, TRANSPORTING.act),
]
