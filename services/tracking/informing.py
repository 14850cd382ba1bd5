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
    return _help(request, " ".join(request.query_params.get("q", "")[:MAX_SEARCH].split()))


async def show_guide(request: Request) -> Response:
    """One guide: a video with captions, and each step with its picture."""
    guides = data_of(request).guides
    guide = next((each for each in guides if each.id == request.path_params["guide"]), None)
    if guide is None:
        return _help(request, "", 404)
    return page(request, "guide.html", 300, guide=guide, others=[each for each in guides if each is not guide])


async def show_contact(request: Request) -> Response:
    """The offices, and how to reach them."""
    return page(request, "contact.html", 300, offices=data_of(request).contacts.offices)


async def show_document(request: Request) -> Response:
    """The OpenAPI document of the public JSON."""
    return JSONResponse(openapi.document(), headers=HEADERS | {"cache-control": "public, max-age=300"})


def _help(request: Request, typed: str, status: int = 200) -> Response:
    data = data_of(request)
    found, kept = found_questions(data.help.questions, typed), 300 if status == 200 else 0
    return page(request, "help.html", kept, status, questions=found, topics=data.help.topics, q=typed, guides=data.guides)


def found_questions(questions: Sequence[Faq], typed: str) -> list[Faq]:
    """The questions that contain every typed word, in either language."""
    words = _plain(typed).split()
    return [each for each in questions if all(word in _plain(_text_of(each)) for word in words)]


def _text_of(each: Faq) -> str:
    return " ".join((each.question.en, each.question.km, each.answer.en, each.answer.km))


def _plain(text: str) -> str:
    return normalize("NFKC", text).casefold()
