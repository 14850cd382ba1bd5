"""A company applies for registration before it has an account: short steps, kept between visits, checked and sent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from services.portal.browsers import Browser
from services.portal.company_words import CompanyWords
from services.portal.forms import Form, FormInvalid, part_of
from services.portal.page import page
from services.portal.pages.passwords import must_be_same_twice
from services.portal.pages.signing_in import signed_in
from services.portal.settings import PREFIX
from services.portal.visit import NotForYou, Visit
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.registry.identity import OpenSession, Session
from shared.contracts.registry.particulars import ListPlaces, Place
from shared.contracts.registry.profiles import ChooseLanguage
from shared.contracts.registry.registrations import ApplyForRegistration

HERE = f"{PREFIX}/apply"
DOCUMENTS = f"{PREFIX}/company/documents"
LASTS = timedelta(days=7)
"""How long a browser keeps an application that was not sent."""

STEPS: Mapping[str, Sequence[str]] = {
    "company": ("company_name", "company_name_km", "tax_number"),
    "address": ("address", "address_km", "district", "phone", "contact_email"),
    "representative": ("representative",),
    "account": ("administrator_name", "email"),
}
"""The steps, and the fields of the application that each asks."""


class Application:
    """An application as far as the browser has typed it."""

    def __init__(self, kept: Mapping[str, Any]) -> None:
        self.exporter_id: str = kept["exporter_id"]
        self.fields: dict[str, list[str]] = kept["fields"]

    def of(self, step: str) -> dict[str, list[str]]:
        """What was typed in one step."""
        return {name: values for name, values in self.fields.items() if name.split(".")[0] in STEPS[step]}

    def has(self, step: str) -> bool:
        """Whether a step was done."""
        return any(value.strip() for values in self.of(step).values() for value in values)

    def next_step(self, after: str = "") -> str:
        """The first step that was not done, or the check of all."""
        waiting = [step for step in STEPS if step != after and not self.has(step)]
        return waiting[0] if waiting else "check"

    def value(self, name: str) -> str:
        """What was typed in one field."""
        return self.fields.get(name, [""])[0].strip()


async def _application(visit: Visit) -> Application:
    """The application of this browser; a new one if there is none."""
    browser = visit.browser
    if browser is None or browser.ended or browser.person is not None or "application" not in browser.sealed:
        kept = {"exporter_id": str(uuid4()), "fields": {}}
        visit.keep(await visit.browsers.begin({"application": kept}, visit.now, LASTS))
        return Application(kept)
    return Application(browser.sealed["application"])


async def _places(visit: Visit) -> list[tuple[str, list[tuple[str, str]]]]:
    """The districts by province, as the district picker shows them."""
    answer = await visit.ask_anonymously(ListPlaces())
    return by_province(answer.places, visit.language.code)


def by_province(places: Sequence[Place], language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The districts of each province in one language, both in the order of the list."""
    found: dict[str, list[tuple[str, str]]] = {}
    for place in places:
        province, name = (place.province_km, place.name_km) if language == "km" else (place.province_en, place.name_en)
        found.setdefault(province, []).append((place.district, name))
    return list(found.items())


async def show_tasks(visit: Visit) -> Response:
    """The list of steps. A signed-in person has an account, and needs none of them."""
    if visit.person is not None:
        return visit.go(f"{PREFIX}/")
    application = await _application(visit)
    return visit.page("apply/tasks.html", application=application, steps=STEPS)


async def show_step(visit: Visit) -> Response:
    """One step, with what was typed before."""
    step = visit.path("step")
    if step not in STEPS:
        raise NotForYou
    application = await _application(visit)
    visit.form.defaults({name: values[0] for name, values in application.of(step).items()})
    places = await _places(visit) if step == "address" else []
    return visit.page(f"apply/{step}.html", step=step, application=application, steps=STEPS, places=places)


async def take_step(visit: Visit) -> Response:
    """Keeps what was typed in one step, and goes on to the next that was not done."""
    step = visit.path("step")
    if step not in STEPS:
        raise NotForYou
    application = await _application(visit)
    visit.form.build(part_of(ApplyForRegistration, *STEPS[step]))
    rest = {name: values for name, values in application.fields.items() if name not in application.of(step)}
    typed = {name: values for name, values in visit.form.fields.items() if name.split(".")[0] in STEPS[step]}
    kept = {"exporter_id": application.exporter_id, "fields": {**rest, **typed}}

    def changed(fresh: Browser) -> Browser:
        return replace(fresh, sealed={**fresh.sealed, "application": kept}, until=visit.now + LASTS)

    await visit.change_browser(changed)
    return visit.go(HERE if visit.form.text("then") == "list" else f"{HERE}/{Application(kept).next_step(step)}")


async def show_check(visit: Visit) -> Response:
    """Everything that was typed, to be checked, and the password for the new account."""
    application = await _application(visit)
    district = ""
    if code := application.value("district"):
        named = {value: f"{name}, {province}" for province, inside in await _places(visit) for value, name in inside}
        district = named.get(code, code)
    return visit.page(
        "apply/check.html", application=application, district=district, words=CompanyWords(visit.language), steps=STEPS
    )


async def send(visit: Visit) -> Response:
    """Sends the application, and signs its administrator in. The same application sent twice is one."""
    if visit.sealed.get("applied"):  # a second click
        return visit.go(f"{PREFIX}/sign-in?next={DOCUMENTS}", done="applied")
    application = await _application(visit)
    _must_be_complete(visit, application)
    must_be_same_twice(visit)
    command = _command(visit, application)
    await visit.ask_anonymously(command)
    await visit.seal(application=None, applied=True)
    try:
        opening = OpenSession(email=command.email, password=command.password, address=visit.address)
        session: Session = await visit.ask_anonymously(opening)
        language = visit.language.code
        response = await signed_in(visit, session, f"{DOCUMENTS}?done=applied")
        # notices come in the language of the application
        await visit.ask(ChooseLanguage.model_validate({"language": language}))
        return response
    except (AskRefused, NobodyAnswers):
        return visit.go(f"{PREFIX}/sign-in?next={DOCUMENTS}", done="applied")


def _command(visit: Visit, application: Application) -> ApplyForRegistration:
    """The application as a contract. What was kept of the steps is validated again, because the bounds may have changed."""
    whole = Form(visit.language)
    whole.restore(application.fields | {"password": [visit.form.text("password")]})
    whole.restored = False
    try:
        return whole.build(
            ApplyForRegistration,
            exporter_id=application.exporter_id,
            command_id=visit.form.command_id(ApplyForRegistration.__name__),
        )
    except FormInvalid:
        for field, sentence in whole.errors:
            visit.form.fail(field, sentence)
        raise


def _must_be_complete(visit: Visit, application: Application) -> None:
    _ = visit.language.gettext
    for step in ("company", "address", "account"):
        if not application.has(step):
            visit.form.fail("", _("A step is not done yet. Do it first; the list above leads you to it."))
    visit.form.must_be_valid()


routes = [
    page("/apply", show_tasks, signed_in=False),
    page("/apply/check", show_check, send, signed_in=False),
    page("/apply/{step}", show_step, take_step, signed_in=False),
]
