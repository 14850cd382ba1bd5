"""The public addresses: a search by reference alone, which needs no account and shows no names, goods or values."""

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

LONGEST = 60
"""Characters that are read of a reference, spaces included."""
DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))

_REFERENCE: TypeAdapter[str] = TypeAdapter(Reference)


class ReferenceMalformed(Refused):
    code = "reference_malformed"


def read_reference(typed: str) -> str:
    """A reference as people type it: spaces, small letters and long dashes do not matter. Raises ReferenceMalformed."""
    if len(typed) > LONGEST:
        raise ReferenceMalformed("reference", example=EXAMPLE)
    tidy = "".join(unicodedata.normalize("NFKC", typed).translate(DASHES).split()).upper()
    try:
        return _REFERENCE.validate_python(tidy)
    except ValidationError:
        raise ReferenceMalformed("reference", example=EXAMPLE) from None


async def show_home(request: Request) -> Response:
    """The search and nothing else."""
    pages = _pages(request)
    return HTMLResponse(pages.home(), headers=pages.headers | _cached(300))


async def search(request: Request) -> Response:
    """Where does this certificate stand?"""
    context: ServiceContext = request.app.state.context
    pages, as_json, typed = _pages(request), _wants_json(request), request.query_params.get("reference", "")
    if not typed.strip() and not as_json:
        return await show_home(request)
    try:
        reference = read_reference(typed)
        async with context.reading(get_current_span()) as work:
            certificate = await certificate_by_reference(work, reference)
            picture = pages.picture(certificate, await steps_of(work, reference))
    except Refused as no:
        status = 404 if isinstance(no, CertificateNotFound) else 400
        headers = pages.headers | {"cache-control": "no-store", "vary": "accept"}
        if as_json:
            return JSONResponse({"code": no.code, "detail": no.detail}, status, headers)
        return HTMLResponse(pages.problem(no.code, typed.strip()[:LONGEST]), status, headers)
    headers = pages.headers | _cached(5)
    return JSONResponse(picture, headers=headers) if as_json else HTMLResponse(pages.found(picture), headers=headers)


def _pages(request: Request) -> Pages:
    context: ServiceContext = request.app.state.context
    return context.use(Pages)


def _cached(seconds: int) -> dict[str, str]:
    return {"cache-control": f"public, max-age={seconds}", "vary": "accept"}


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return request.query_params.get("format") == "json" or ("application/json" in accepted and "text/html" not in accepted)


routes = [Route("/", show_home), Route("/public-search/atiga", search)]
