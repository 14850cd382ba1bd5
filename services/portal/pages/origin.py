"""The origin worksheet: people assess a cost statement before a product is registered. Nothing is stored."""

from typing import Any

from starlette.responses import Response

from services.portal.forms import FormInvalid
from services.portal.navigation import AUDITORS, DECIDING, FILING
from services.portal.page import page
from services.portal.settings import PREFIX
from services.portal.statements import FEWEST, MORE, StatementFields, as_contract, standings
from services.portal.visit import Visit
from shared.contracts.certificates.origin import AssessOrigin, OriginAssessment

HERE = f"{PREFIX}/origin"
READERS = FILING | DECIDING | AUDITORS
STATEMENT = "statement"


async def show_worksheet(visit: Visit) -> Response:
    """The form of a cost statement, with what was typed."""
    return _page(visit, None)


async def assess(visit: Visit) -> Response:
    """Assesses the statement, or only adds rows for materials."""
    statement = StatementFields(visit.form, STATEMENT)
    statement.arrange()
    visit.form.type_in(f"{STATEMENT}.hs", as_contract("hs", visit.form.text(f"{STATEMENT}.hs")))
    if visit.form.text("then") == "rows":
        return _page(visit, None, spare=MORE)
    try:
        question = visit.form.build(AssessOrigin, ("form", "on", "claim", STATEMENT))
    except FormInvalid:
        statement.lay_on_rows()
        raise
    found: OriginAssessment = await visit.ask(question)
    return _page(visit, found)


def _page(visit: Visit, found: OriginAssessment | None, spare: int = FEWEST) -> Response:
    visit.form.defaults({"form": "D", f"{STATEMENT}.currency": "USD"})
    numbers = StatementFields(visit.form, STATEMENT).numbers(spare=spare)
    return visit.page("origin.html", address=HERE, numbers=numbers, at=STATEMENT, **worksheet(visit, found))


def worksheet(visit: Visit, found: OriginAssessment | None) -> dict[str, Any]:
    """What the template of a worksheet needs. It is shown in the language of the page, or in the chosen one."""
    shown_in = visit.form.text("shown_in") or visit.query("sheet") or visit.language.code
    languages = list(visit.site.languages.all.values())
    language = next((each for each in languages if each.code == shown_in), visit.language)
    return {
        "found": found,
        "sheet_language": language,
        "other_languages": [each for each in languages if each.code != language.code],
        "sheet_text": lambda text, **values: language.gettext(text) % values if values else language.gettext(text),
        "standings": standings(language),
    }


routes = [page("/origin", show_worksheet, assess, roles=READERS)]
