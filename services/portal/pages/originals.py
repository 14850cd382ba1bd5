"""Originals of back-to-back certificates: officers see what remains of one, and enter one that came on paper."""

from urllib.parse import urlencode

from starlette.responses import Response

from services.portal.forms import FormInvalid
from services.portal.names import Names
from services.portal.navigation import AUDITORS, DECIDING
from services.portal.page import page
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.certificates.originals import EnterOriginal, GetOriginal, OriginalState

READERS = DECIDING | AUDITORS
HERE = f"{PREFIX}/originals"
LINE = ("number", "hs_code", "quantity", "unit", "description")
"""What stands in one line of the typed goods, in this order."""


async def show_originals(visit: Visit) -> Response:
    """Finds an original by its country and reference."""
    country, reference = visit.query("country"), visit.query("reference").strip()
    found: OriginalState | None = None
    if country and reference:
        try:
            question = visit.form.build(GetOriginal, [], country=country, reference=reference)
            found = await visit.ask_or(None, question, "original_not_found")
        except FormInvalid:
            visit.form.errors.clear()  # such a reference does not exist
    return visit.page(
        "originals.html",
        original=found,
        searched=bool(country and reference),
        country=country,
        reference=reference,
        countries=countries(visit),
        words=Wording(visit.language),
        may_enter=visit.someone.has(*DECIDING),
    )


async def show_entering(visit: Visit) -> Response:
    """The form of a paper original."""
    return visit.page("original_enter.html", countries=countries(visit), address=HERE)


async def enter(visit: Visit) -> Response:
    """The officer enters a paper original. Each item is one line of text."""
    form, _ = visit.form, visit.language.gettext
    lines = [line for line in form.text("goods").splitlines() if line.strip()]
    try:
        names = ["country", "reference", "issued_on", "valid_until", "consignee"]
        command = form.build(EnterOriginal, names, lines=[parts_of(line) for line in lines])
    except FormInvalid:
        form.errors = [_at_goods(visit, name, sentence) for name, sentence in form.errors]
        raise
    entered: OriginalState = await visit.ask(command)
    query = urlencode({"country": entered.country, "reference": entered.reference})
    return visit.go(f"{HERE}?{query}", done="entered")


def parts_of(line: str) -> dict[str, str]:
    """The values of one line, separated by semicolons or, as a spreadsheet copies them, by tabs."""
    parts = [part.strip() for part in line.split("\t" if "\t" in line else ";", len(LINE) - 1)]
    found = dict(zip(LINE, parts, strict=False))
    found["unit"] = found.get("unit", "").upper()
    found["hs_code"] = found.get("hs_code", "").replace(".", "").replace(" ", "")
    return {name: value for name, value in found.items() if value}


def _at_goods(visit: Visit, name: str, sentence: str) -> tuple[str, str]:
    """An error of one item at the field of all of them."""
    parts = name.split(".")
    if parts[0] != "lines":
        return name, sentence
    if len(parts) == 1:
        return "goods", sentence
    said = visit.language.gettext("Line %(number)s, %(part)s: %(problem)s")
    label = parts_labels(visit).get(parts[2], "") if len(parts) > 2 else ""
    return "goods", said % {"number": int(parts[1]) + 1, "part": label, "problem": sentence}


def parts_labels(visit: Visit) -> dict[str, str]:
    """What the parts of a line are called."""
    _ = visit.language.gettext
    return {
        "number": _("number of the item"),
        "hs_code": _("HS code"),
        "quantity": _("quantity"),
        "unit": _("unit"),
        "description": _("description"),
    }


def countries(visit: Visit) -> list[tuple[str, str]]:
    """The members whose certificates can be originals."""
    return [each for each in Names(visit.language).partners() if each[0] != visit.settings.country]


routes = [
    page("/originals", show_originals, roles=READERS),
    page("/originals/new", show_entering, enter, roles=DECIDING),
]
