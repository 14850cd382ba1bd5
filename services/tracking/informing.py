"""The pages and the JSON about the service itself: figures, partners, codes, help and contact."""

from collections.abc import Sequence
from unicodedata import normalize

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.tracking import openapi
from services.tracking.data_files import Faq
from services.tracking.figures import Figures
from services.tracking.replies import data_of, page, reply
from services.tracking.views import codes_view
from shared.handling.work import ServiceContext
from shared.web.site import HEADERS

MAX_SEARCH = 100
"""Maximum characters of a search in the questions."""


async def show_status(request: Request) -> Response:
    """How long each step takes, and for whom certificates wait."""
    context: ServiceContext = request.app.state.context
    figures = await context.use(Figures).service.get(context)
    return reply(request, figures, "status.html", 60, figures=figures)


async def show_partners(request: Request) -> Response:
    """Whether the gateway of each partner answers."""
    context: ServiceContext = request.app.state.context
    shown = await context.use(Figures).partners.get(context)
    return reply(request, shown, "partners.html", 10, shown=shown)


async def show_codes(request: Request) -> Response:
    """What each code means."""
    shown = codes_view(data_of(request))
    return reply(request, shown, "codes.html", 300, codes=shown.codes)


async def show_help(request: Request) -> Response:
    """The frequent questions. `q` searches them."""
    typed = " ".join(request.query_params.get("q", "")[:MAX_SEARCH].split())
    data = data_of(request)
    found = found_questions(data.help.questions, typed)
    return page(request, "help.html", 300, questions=found, topics=data.help.topics, q=typed)


async def show_contact(request: Request) -> Response:
    """The offices, and how to reach them."""
    return page(request, "contact.html", 300, offices=data_of(request).contacts.offices)


async def show_document(request: Request) -> Response:
    """The OpenAPI document of the public JSON."""
    return JSONResponse(openapi.document(), headers=HEADERS | {"cache-control": "public, max-age=300"})


def found_questions(questions: Sequence[Faq], typed: str) -> list[Faq]:
    """The questions that contain every typed word, in either language."""
    words = _plain(typed).split()
    return [each for each in questions if all(word in _plain(_text_of(each)) for word in words)]


def _text_of(each: Faq) -> str:
    return " ".join((each.question.en, each.question.km, each.answer.en, each.answer.km))


def _plain(text: str) -> str:
    return normalize("NFKC", text).casefold()
