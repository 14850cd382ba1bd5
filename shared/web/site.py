"""A site: the pages of one service in each language, with one layout, one set of components and one set of headers."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from shared.handling.work import ServiceContext
from shared.web.languages import COOKIE, NAMES, Language, Languages
from shared.web.static_files import StaticFiles

HERE = Path(__file__).parent
NOT_KEPT = {"cache-control": "no-store"}

MAX_QUERY = 1000
"""Maximum characters of a query that the choice of the language keeps: a page repeats it."""

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Site:
    """The pages of one service.

    `package`: its folder, with `templates/`, and perhaps `static/` and `locales/`. `prefix`: of all its addresses.
    `links`: values that every template reads, such as the addresses of the other sites.
    """

    def __init__(self, package: Path, zone: ZoneInfo, *, prefix: str = "", links: Mapping[str, Any] | None = None) -> None:
        self.prefix = prefix
        self.languages = Languages([HERE / "locales", package / "locales"], zone)
        self.files = StaticFiles([HERE / "static", package / "static"], prefix)
        folders = [package / "templates", HERE / "templates"]
        shared = {
            "prefix": prefix,
            "static": self.files.address,
            "has_static": self.files.__contains__,
            "integrity": self.files.integrity,
            "language_names": NAMES,
        }
        self._environments = {
            code: _environment(folders, language, {**shared, **(links or {})}) for code, language in self.languages.all.items()
        }

    def page(
        self,
        request: Request,
        template: str,
        *,
        language: Language | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Renders a page. Without `headers` no cache may keep it."""
        language = language or self.languages.of(request)
        text = self.text(template, language, path=request.scope["path"], query=query_of(request), **values)
        return self.response(text, language, status=status, headers=headers)

    def response(
        self, text: str, language: Language, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        """The answer with a page that is rendered already. Without `headers` no cache may keep it."""
        response = HTMLResponse(text, status)
        response.raw_headers += _encoded(language.code, *(NOT_KEPT if headers is None else headers).items())
        return response

    def text(self, template: str, language: Language, **values: Any) -> str:
        """Renders a template, or a part of a page."""
        return self._environments[language.code].get_template(template).render(values)


def routes_below(prefix: str) -> tuple[BaseRoute, ...]:
    """The routes of every site: its static files, and the choice of the language."""
    return (
        Route(f"{prefix}/static/{{digest}}/{{name:path}}", _static_file),
        Route(f"{prefix}/language", _choose_language, methods=["POST"]),
    )


async def _static_file(request: Request) -> Response:
    return _site(request).files.response(request.path_params["name"], request.path_params["digest"])


async def _choose_language(request: Request) -> Response:
    """Keeps the choice of a visitor in a cookie, and returns to the page."""
    form = await request.form(max_fields=4)
    code, back = str(form.get("language", "")), str(form.get("back", ""))
    response = RedirectResponse(own_address(back, f"{_site(request).prefix}/"), 303)
    if code in NAMES:
        response.set_cookie(COOKIE, code, max_age=31_536_000, httponly=True, samesite="lax", path="/")
    return response


def _site(request: Request) -> Site:
    context: ServiceContext = request.app.state.context
    return context.use(Site)


def query_of(request: Request) -> str:
    """The query of a request; nothing if the page cannot repeat it."""
    query = request.scope["query_string"].decode("latin-1")
    return query if len(query) <= MAX_QUERY else ""


def own_address(wanted: str, otherwise: str) -> str:
    """An address on this site, or another one: a link may not lead people to a stranger's site."""
    parts = urlsplit(wanted)
    harmless = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if harmless and not parts.scheme and not parts.netloc and "\\" not in wanted else otherwise


@lru_cache(maxsize=256)
def _encoded(code: str, *headers: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of a page in a language. There are few different ones, so they are encoded once."""
    every = HEADERS | {"content-language": code, "vary": "accept-language, cookie"} | dict(headers)
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in every.items()]


def _environment(folders: Sequence[Path], language: Language, values: Mapping[str, Any]) -> Environment:
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        auto_reload=False,
    )
    made.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {"language": language, **values}
    made.filters |= {
        "date": language.date,
        "instant": language.instant,
        "exactly": language.exactly,
        "number": language.number,
        "riel": language.riel,
    }
    return made
