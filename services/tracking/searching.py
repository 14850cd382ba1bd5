"""The search by reference, as a page and as JSON. It needs no account and shows no names, goods or values."""

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from services.tracking.answers import Problem
from services.tracking.certificate_pages import CertificatePages
from services.tracking.figures import Figures
from services.tracking.limits import UNAVAILABLE
from services.tracking.look_ups import LookUps
from services.tracking.references import EXAMPLE, MAX_TYPED, ReferenceMalformed, Unusual, read_reference, unusual_parts
from services.tracking.replies import CERTIFICATE, data_of, kept, page, reply
from services.tracking.store import CertificateNotFound
from services.tracking.views import certificate_view, codes_view, unusual_view
from services.tracking.visitors import wants_json
from shared.handling.work import ServiceContext
from shared.refusals import Refused
from shared.web.site import HEADERS, Site, query_of


async def show_home(request: Request) -> Response:
    """The home page with the search. It is complete without the database, but for the figures."""
    context: ServiceContext = request.app.state.context
    figures = shown = None
    with suppress(*UNAVAILABLE):
        figures = await context.use(Figures).service.get(context)
        shown = await context.use(Figures).partners.get(context)
    data = data_of(request)
    return page(request, "home.html", 30, codes=codes_view(data).codes, figures=figures, shown=shown, guides=data.guides)


async def search(request: Request) -> Response:
    """Finds a certificate by the reference that was typed."""
    typed = request.query_params.get("reference", "")
    if not typed.strip() and not wants_json(request):
        return await show_home(request)
    return await _show(request, typed)


async def show_certificate(request: Request) -> Response:
    """The lasting address of a certificate."""
    return await _show(request, request.path_params["reference"])


async def _show(request: Request, typed: str) -> Response:
    context: ServiceContext = request.app.state.context
    data = data_of(request)
    reference = ""
    try:
        reference = read_reference(typed, data.offices)
        tracked = await context.use(LookUps).find(reference, context)
    except (ReferenceMalformed, CertificateNotFound) as no:
        year = context.clock.today().year
        parts = unusual_parts(reference, forms=data.forms.forms, offices=data.offices, this_year=year) if reference else []
        return _problem(request, no, parts, typed)
    out_since = (await context.use(Figures).outages.get(context)).get(tracked.certificate.destination)
    if wants_json(request):
        view = certificate_view(tracked, data, out_since)
        return Response(view.model_dump_json(), 200, HEADERS | kept(CERTIFICATE), media_type="application/json")
    site = context.use(Site)
    language = site.languages.of(request)
    path, query = request.scope["path"], query_of(request)
    text = context.use(CertificatePages).text(tracked, site, language, path, query, out_since)
    return site.response(text, language, headers=kept(CERTIFICATE))


def _problem(request: Request, no: Refused, parts: list[Unusual], typed: str) -> Response:
    """Says what is wrong with the reference. It never tells which references exist."""
    unusual = unusual_view(parts, data_of(request))
    problem = Problem(code=no.code, detail=no.detail, unusual=unusual, example=EXAMPLE)
    status = 404 if isinstance(no, CertificateNotFound) else 400
    return reply(request, problem, "problem.html", 0, status, problem=problem, reference=typed.strip()[:MAX_TYPED])
