"""The origin worksheet: people assess a cost statement before a product is registered. Nothing is stored."""

from collections.abc import Iterator, Mapping

from starlette.responses import Response

from services.portal.forms import FormInvalid
from services.portal.navigation import AUDITORS, DECIDING, FILING
from services.portal.page import page
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from shared.contracts.certificates.origin import MAX_MATERIALS, AssessOrigin, OriginAssessment
from shared.web.languages import Language

HERE = f"{PREFIX}/origin"
READERS = FILING | DECIDING | AUDITORS
ROW = ("description", "hs", "value", "origin", "originating", "pc_share")
"""What is stated of one material, in the order of the pasted columns."""
MATERIALS = "statement.materials"
FEWEST, MORE = 3, 10
"""Empty rows of materials that the page shows at first, and that it adds."""
ANSWERS = {"yes": "true", "true": "true", "1": "true", "no": "false", "false": "false", "0": "false"}


async def show_worksheet(visit: Visit) -> Response:
    """The form of a cost statement, with what was typed."""
    return _page(visit, None)


async def assess(visit: Visit) -> Response:
    """Assesses the statement, or only adds rows for materials."""
    rows = list(_rows_of(visit))
    _arrange(visit, rows)
    if visit.form.text("then") == "rows":
        return _page(visit, None, spare=MORE)
    try:
        question = visit.form.build(AssessOrigin, ("form", "on", "claim", "statement"))
    except FormInvalid:
        _lay_on_rows(visit)
        raise
    found: OriginAssessment = await visit.ask(question)
    return _page(visit, found)


def _page(visit: Visit, found: OriginAssessment | None, spare: int = FEWEST) -> Response:
    shown_in = visit.form.text("shown_in") or visit.language.code
    language = next((each for each in _languages(visit) if each.code == shown_in), visit.language)
    visit.form.defaults({"form": "D", "statement.currency": "USD"})
    rows = len(list(_rows_of(visit)))
    return visit.page(
        "origin.html",
        address=HERE,
        found=found,
        numbers=range(min(rows + spare, MAX_MATERIALS)),
        sheet_language=language,
        other_languages=[each for each in _languages(visit) if each.code != language.code],
        sheet_text=lambda text, **values: language.gettext(text) % values if values else language.gettext(text),
        standings=_standings(language),
    )


def _languages(visit: Visit) -> list[Language]:
    return list(visit.site.languages.all.values())


def _rows_of(visit: Visit) -> Iterator[Mapping[str, str]]:
    """The materials that were typed into the table, then those that were pasted, without empty rows."""
    typed: dict[int, dict[str, str]] = {}
    for name, values in visit.form.fields.items():
        place, _, part = name.removeprefix(f"{MATERIALS}.").partition(".")
        if name.startswith(MATERIALS) and place.isdecimal() and len(place) < 6 and part in ROW and values[0].strip():
            typed.setdefault(int(place), {})[part] = values[0].strip()
    yield from (typed[place] for place in sorted(typed))
    for line in visit.form.text("pasted").splitlines():
        if line.strip():
            parts = [part.strip() for part in line.split("\t" if "\t" in line else ";")]
            yield {name: part for name, part in zip(ROW, parts, strict=False) if part}


def _arrange(visit: Visit, rows: list[Mapping[str, str]]) -> None:
    """Numbers the materials without gaps, so that an error stands at its row. Codes lose their points, numbers their commas."""
    form = visit.form
    for name in [name for name in form.fields if name.startswith(f"{MATERIALS}.")]:
        form.forget(name)
    form.forget("pasted")
    for number, row in enumerate(rows[: MAX_MATERIALS + 1]):
        for part, value in row.items():
            form.type_in(f"{MATERIALS}.{number}.{part}", _as_contract(part, value))
    for name in ("fob", "labour", "overhead", "other", "profit"):
        if value := form.text(f"statement.{name}"):
            form.type_in(f"statement.{name}", _as_contract("value", value))
    form.type_in("statement.hs", _as_contract("hs", form.text("statement.hs")))
    form.type_in("statement.currency", form.text("statement.currency").upper())
    if form.text("statement.wholly_obtained"):
        form.type_in("statement.wholly_obtained", "true")
    processes = [each.strip() for each in form.text("processes").replace("\n", ",").replace(";", ",").split(",")]
    for number, process in enumerate(each for each in processes if each):
        form.type_in(f"statement.processes.{number}", process)
    if not rows:
        form.type_in(f"{MATERIALS}[]")


def _as_contract(part: str, value: str) -> str:
    """What was typed, in the form of the contract."""
    if part == "hs":
        return value.replace(".", "").replace(" ", "")
    if part in ("value", "pc_share"):
        return value.replace(",", "").replace(" ", "").removesuffix("%")
    if part == "originating":
        return ANSWERS.get(value.lower(), value)
    return value.upper() if part == "origin" else value


def _lay_on_rows(visit: Visit) -> None:
    """Errors of processes belong to their field; there is one field for all of them."""
    for place, (field, sentence) in enumerate(visit.form.errors):
        if field.startswith("statement.processes"):
            visit.form.errors[place] = ("processes", sentence)


def _standings(language: Language) -> Mapping[str, str]:
    """What a material counts as, in words."""
    _ = language.gettext
    return {
        "domestic": _("originating"),
        "presumed": _("originating, bought in Cambodia"),
        "accumulated": _("originating in another member"),
        "partly": _("originating in part"),
        "non_originating": _("not originating"),
    }


routes = [page("/origin", show_worksheet, assess, roles=READERS)]
