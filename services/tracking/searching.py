"""The public HTTP addresses: a search by reference. It needs no account and shows no names, goods or values."""

import unicodedata

from opentelemetry.trace import get_current_span
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from services.tracking.pages import EXAMPLE, Pages
from services.tracking.store import CertificateNotFound, certificate_by_reference, steps_of
from shared.contracts.fields import Reference
from shared.handling.work import ServiceContext
from shared.refusals import Refused

MAX_TYPED = 60
"""Maximum characters of a typed reference, with spaces."""
DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))

_REFERENCE: TypeAdapter[str] = TypeAdapter(Reference)


class ReferenceMalformed(Refused):
    code = "reference_malformed"


def read_reference(typed: str) -> str:
    """Normalizes a typed reference: spaces, lower case and long dashes are accepted. Raises ReferenceMalformed."""
    if len(typed) > MAX_TYPED:
        raise ReferenceMalformed("reference", example=EXAMPLE)
    tidy = "".join(unicodedata.normalize("NFKC", typed).translate(DASHES).split()).upper()
    try:
        return _REFERENCE.validate_python(tidy)
    except ValidationError:
        raise ReferenceMalformed("reference", example=EXAMPLE) from None


async def show_home(request: Request) -> Response:
    """Shows the page with only the search."""
    pages = _pages(request)
    return HTMLResponse(pages.home(), headers=pages.headers | _cached(300))


async def search(request: Request) -> Response:
    """Shows a certificate as a page or as JSON."""
    context: ServiceContext = request.app.state.context
    pages, as_json, typed = _pages(request), _wants_json(request), request.query_params.get("reference", "")
    if not typed.strip() and not as_json:
        return await show_home(request)
    try:
        reference = read_reference(typed)
        async with context.reading(get_current_span()) as work:
            certificate = await certificate_by_reference(work, reference)
            view = pages.view(certificate, await steps_of(work, reference))
    except Refused as no:
        status = 404 if isinstance(no, CertificateNotFound) else 400
        headers = pages.headers | {"cache-control": "no-store", "vary": "accept"}
        if as_json:
            return JSONResponse({"code": no.code, "detail": no.detail}, status, headers)
        return HTMLResponse(pages.problem(no.code, typed.strip()[:MAX_TYPED]), status, headers)
    headers = pages.headers | _cached(5)
    return JSONResponse(view, headers=headers) if as_json else HTMLResponse(pages.found(view), headers=headers)


def _pages(request: Request) -> Pages:
    context: ServiceContext = request.app.state.context
    return context.use(Pages)


def _cached(seconds: int) -> dict[str, str]:
    return {"cache-control": f"public, max-age={seconds}", "vary": "accept"}


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return request.query_params.get("format") == "json" or ("application/json" in accepted and "text/html" not in accepted)


routes = [Route("/", show_home), Route("/public-search/atiga", search)]
