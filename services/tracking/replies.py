"""How an address answers: with a page in the language of the visitor, or with JSON where the client asks for it."""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.tracking.answers import Bilingual, Public, utc
from services.tracking.data_files import DataFiles
from services.tracking.references import EXAMPLE
from services.tracking.visitors import wants_json
from shared.contracts.fields import EARLIEST, LATEST
from shared.handling.work import ServiceContext
from shared.web.languages import Language
from shared.web.site import HEADERS, Site

CERTIFICATE = 5
"""Seconds that caches keep a certificate."""


def data_of(request: Request) -> DataFiles:
    """The texts of this service."""
    context: ServiceContext = request.app.state.context
    return context.use(DataFiles)


def reply(request: Request, answer: Public, template: str, seconds: int, status: int = 200, **values: Any) -> Response:
    """The answer as JSON, or as a page made of `values`. `seconds`: how long caches keep it; 0: not at all."""
    if wants_json(request):
        return Response(answer.model_dump_json(), status, HEADERS | kept(seconds), media_type="application/json")
    return page(request, template, seconds, status, **values)


def page(request: Request, template: str, seconds: int, status: int = 200, **values: Any) -> Response:
    """A page in the language of the visitor."""
    context: ServiceContext = request.app.state.context
    site = context.use(Site)
    language = site.languages.of(request)
    ready = ready_values(language, data_of(request))
    return site.page(request, template, language=language, status=status, headers=kept(seconds), **ready | values)


def ready_values(language: Language, data: DataFiles) -> dict[str, Any]:
    """What every template uses."""
    return {
        "words": words_in(language),
        "exactly": partial(exactly_in, language),
        "day": lambda text: language.date(date.fromisoformat(text)),
        "duration": partial(duration_in, language),
        "utc": utc,
        "data": data,
        "example": EXAMPLE,
        "reference": "",
    }


def words_in(language: Language) -> Callable[[Bilingual], str]:
    """A function that returns a text of a data file in this language."""
    return lambda words: language.either(words.en, words.km)


def exactly_in(language: Language, at: datetime) -> str:
    """An instant with seconds in the zone of the country; in UTC where no zone can express it."""
    return language.exactly(at) if EARLIEST <= at < LATEST else utc(at)


def duration_in(language: Language, seconds: int) -> str:
    """A duration in its two largest units."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return language.gettext("%(days)s d %(hours)s h") % {"days": days, "hours": hours % 24}
    if hours:
        return language.gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes % 60}
    if minutes:
        return language.gettext("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": seconds % 60}
    return language.gettext("%(seconds)s s") % {"seconds": seconds}


def kept(seconds: int) -> dict[str, str]:
    """The headers for caches."""
    control = f"public, max-age={seconds}" if seconds else "no-store"
    return {"cache-control": control, "vary": "accept, accept-language, cookie"}
