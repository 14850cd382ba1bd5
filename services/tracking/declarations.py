"""The public check of an origin declaration of a certified exporter (ATIGA Annex 8, Rules 12A to 12D)."""

import re
from datetime import date
from typing import Any

from opentelemetry.trace import INVALID_SPAN
from starlette.requests import Request
from starlette.responses import Response

from services.tracking.answers import DeclarationShown, Problem
from services.tracking.certified_tables import TrackedCertifiedExporter, find_certified
from services.tracking.replies import data_of, page, reply
from services.tracking.visitors import wants_json
from shared.contracts.certificates.self_certification import digest_of_name
from shared.handling.work import ServiceContext
from shared.refusals import Refused

FIELDS = {"declaration": 40, "day": 10, "signatory": 200, "goods": 400}
"""What is typed, and its most characters."""
MAX_GOODS = 20
CODE = re.compile(r"[A-Z]{2}-CE-[0-9]{4}-[0-9]{4,6}")
SUBHEADING = 6


class DeclarationIncomplete(Refused):
    code = "declaration_incomplete"


async def verify_declaration(request: Request) -> Response:
    """Checks a declaration by its code, its day, the person who signed, and the HS codes of the goods."""
    typed = {name: request.query_params.get(name, "").strip()[:most] for name, most in FIELDS.items()}
    typed["declaration"] = re.sub(r"\s", "", typed["declaration"]).upper()
    day, goods = _day(typed["day"]), _goods(typed["goods"])
    wrong = [name for name, good in (("day", day), ("signatory", typed["signatory"]), ("goods", goods)) if not good]
    if not typed["declaration"] or wrong:
        return _incomplete(request, typed, ["declaration", *wrong] if not typed["declaration"] else wrong)
    context: ServiceContext = request.app.state.context
    known = None
    if CODE.fullmatch(typed["declaration"]):
        async with context.reading(INVALID_SPAN) as work:
            known = await find_certified(work, typed["declaration"])
    assert day is not None
    verdict = verdict_on(known, day, context.clock.today(), typed["signatory"], goods)
    row = data_of(request).declarations[verdict]
    shown = DeclarationShown(
        verdict=row.verdict or verdict,
        reason=verdict,
        tone=row.tone,
        title=row.title,
        meaning=row.meaning,
        code=known.code if known else typed["declaration"],
        valid_from=known.valid_from.isoformat() if known else None,
        valid_until=known.valid_until.isoformat() if known else None,
    )
    return reply(request, shown, "declaration.html", 0, shown=shown, typed=typed, wrong=[])


def verdict_on(known: TrackedCertifiedExporter | None, day: date, today: date, signatory: str, goods: list[str]) -> str:
    """The outcome, as a key of `data/declarations.json`. Everything counts by the day of the declaration."""
    if known is None:
        return "unknown"
    if day > today:
        return "future"
    if known.withdrawn_on is not None and day >= known.withdrawn_on:
        return "withdrawn"
    if any(_covers(each, day) for each in known.suspensions):
        return "suspended"
    if day < known.valid_from:
        return "too_early"
    if day > known.valid_until:
        return "expired"
    digest = digest_of_name(known.code, signatory)
    if not any(each["digest"] == digest and _covers(each, day) for each in known.signatories):
        return "not_this_signatory"
    certified = {each["subheading"] for each in known.goods if _covers(each, day)}
    return "valid" if {each[:SUBHEADING] for each in goods} <= certified else "not_this_product"


def _covers(period: dict[str, Any], day: date) -> bool:
    return date.fromisoformat(period["since"]) <= day and (period["until"] is None or day < date.fromisoformat(period["until"]))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _goods(text: str) -> list[str]:
    """The HS codes in a text such as `6109.10, 620520`; none if a part is no code."""
    parts = [re.sub(r"\.", "", part) for part in re.split(r"[\s,;]+", text) if part]
    good = all(re.fullmatch(r"[0-9]{6,11}", part) for part in parts)
    return parts if good and len(parts) <= MAX_GOODS else []


def _incomplete(request: Request, typed: dict[str, str], wrong: list[str]) -> Response:
    """The form, with what is missing or wrong; for a program a refusal."""
    if wants_json(request):
        no = DeclarationIncomplete()
        problem = Problem(code=no.code, detail=no.detail)
        return reply(request, problem, "declaration.html", 0, 400)
    if not any(typed.values()):
        return page(request, "declaration.html", 300, shown=None, typed=typed, wrong=[])
    return page(request, "declaration.html", 0, 400, shown=None, typed=typed, wrong=wrong)
