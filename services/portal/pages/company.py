"""A company's registration: its state, its particulars and history, corrections, and renewals."""

from typing import Any

from starlette.responses import Response

from services.portal.acting import oneself, own_company
from services.portal.company_words import CompanyWords
from services.portal.navigation import COMPANY
from services.portal.page import page
from services.portal.pages.applying import by_province
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from shared.contracts.registry.particulars import ListPlaces
from shared.contracts.registry.profiles import NamedUsers, NameUsers
from shared.contracts.registry.registration_history import GetRegistrationHistory, RegistrationHistory
from shared.contracts.registry.registrations import (
    APPLICANT_ROLES,
    CorrectRegistration,
    GetRegistration,
    HandInRegistration,
    RegistrationState,
    RegistrationStatus,
    RenewalStatus,
    RenewRegistration,
)
from shared.contracts.roles import Role

HERE = f"{PREFIX}/company"
ACTS = 20
BEFORE_APPROVAL = frozenset({RegistrationStatus.APPLIED, RegistrationStatus.RETURNED, RegistrationStatus.REFUSED})
TO_HAND_IN = frozenset({RegistrationStatus.RETURNED, RegistrationStatus.REFUSED})


def tabs_of(visit: Visit) -> list[tuple[str, str, int | None]]:
    """The pages about a company. Colleagues are for its administrator."""
    _ = visit.language.gettext
    administers = oneself(visit).has(Role.COMPANY_ADMINISTRATOR)
    return [
        (_("Registration"), HERE, None),
        (_("Documents"), f"{HERE}/documents", None),
        *([(_("Colleagues"), f"{HERE}/colleagues", None)] if administers else []),
        (_("Mandates"), f"{HERE}/mandates", None),
    ]


def company_page(visit: Visit, template: str, **values: Any) -> Response:
    """A page about the person's own company, with its tabs."""
    words = CompanyWords(visit.language)
    return visit.page(template, tabs_of_company=tabs_of(visit), words=words, me=oneself(visit), **values)


async def registration_of(visit: Visit) -> RegistrationState:
    """The registration of the person's own company."""
    state: RegistrationState = await visit.ask(GetRegistration(exporter_id=own_company(visit)))
    return state


def may_change(state: RegistrationState) -> bool:
    """Whether there is an application or a renewal to correct and to attach documents to."""
    return state.status in BEFORE_APPROVAL or state.renewal is not None


def may_renew(visit: Visit, state: RegistrationState) -> bool:
    """Whether the company may apply for another year today."""
    if state.renewal is not None or state.status not in (RegistrationStatus.ACTIVE, RegistrationStatus.EXPIRED):
        return False
    return state.renewable_from is not None and state.renewable_from <= visit.context.clock.today()


def is_returned(state: RegistrationState) -> bool:
    """Whether the company must hand the application or the renewal in again."""
    return state.status in TO_HAND_IN or (state.renewal is not None and state.renewal.status is RenewalStatus.RETURNED)


async def show_company(visit: Visit) -> Response:
    """The state of the registration and what to do next, the particulars, and the history."""
    state = await registration_of(visit)
    before = visit.query("before")
    question = GetRegistrationHistory(
        exporter_id=state.exporter_id, limit=ACTS, before=int(before) if before.isdigit() and 0 < len(before) < 10 else None
    )
    history: RegistrationHistory = await visit.ask(question)
    return company_page(
        visit,
        "company/registration.html",
        state=state,
        history=history,
        names=await names_of(visit, history),
        changeable=may_change(state),
        returned=is_returned(state),
        renewable=may_renew(visit, state),
        applicant=oneself(visit).has(*APPLICANT_ROLES),
    )


async def names_of(visit: Visit, history: RegistrationHistory) -> dict[Any, str]:
    """The names of the people in a history."""
    ids = tuple({act.user_id for act in history.acts if act.user_id is not None})
    if not ids:
        return {}
    answer: NamedUsers = await visit.ask(NameUsers(user_ids=ids), own=True)
    return answer.names


async def show_correct(visit: Visit) -> Response:
    """The particulars of the application or of the renewal, to be corrected."""
    return await _show_form(visit, "company/correct.html")


async def show_renew(visit: Visit) -> Response:
    """The particulars for another year: those of the present year, to be checked."""
    return await _show_form(visit, "company/renew.html")


async def _show_form(visit: Visit, template: str) -> Response:
    state = await registration_of(visit)
    particulars = state.renewal.particulars if state.renewal else state.particulars
    visit.form.defaults({"particulars": particulars or {}, "tax_number": state.tax_number})
    places = by_province((await visit.ask_anonymously(ListPlaces())).places, visit.language.code)
    return company_page(
        visit,
        template,
        state=state,
        places=places,
        returned=is_returned(state),
        changeable=may_change(state),
        renewable=may_renew(visit, state),
        registered=state.status not in BEFORE_APPROVAL,
    )


async def correct(visit: Visit) -> Response:
    """Stores the corrected particulars, and hands the application in again if that is wished."""
    company = own_company(visit)
    await visit.ask(visit.form.build(CorrectRegistration, ["particulars", "tax_number"], exporter_id=company))
    if visit.form.text("then") != "hand-in":
        return visit.go(HERE, done="corrected")
    await visit.ask(HandInRegistration(exporter_id=company, command_id=visit.form.command_id("HandInRegistration")))
    return visit.go(HERE, done="handed-in")


async def renew(visit: Visit) -> Response:
    """Applies for another year."""
    await visit.ask(visit.form.build(RenewRegistration, ["particulars"], exporter_id=own_company(visit)))
    return visit.go(f"{HERE}/documents", done="renewed")


routes = [
    page("/company", show_company, roles=COMPANY),
    page("/company/correct", show_correct, correct, roles=COMPANY),
    page("/company/renew", show_renew, renew, roles=COMPANY),
]
