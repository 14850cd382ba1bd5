"""One request of a person: who asks, in which language, with which form."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal.browsers import Browser, Browsers, Person
from services.portal.bus import Bus
from services.portal.forms import Form
from services.portal.navigation import MINISTRY, links_for
from services.portal.saved_forms import SavedForms
from services.portal.settings import PREFIX, PortalSettings
from shared.bus.client import AskRefused
from shared.contracts.messages import Request as BusRequest
from shared.contracts.roles import Role
from shared.handling.work import ServiceContext
from shared.refusals import LANGUAGES
from shared.web.languages import COOKIE, Language
from shared.web.origin import FIELD, form_token
from shared.web.site import Site, own_address

T = TypeVar("T")
SESSION_OVER = frozenset({"not_signed_in", "session_over", "token_invalid", "token_expired", "session_revoked"})
"""The refusals that mean: sign in again."""

SECOND_FACTOR = f"{PREFIX}/account/second-factor"
"""The address where a person sets up a second factor."""

Show = Callable[["Visit"], Awaitable[Response]]


class NotForYou(Exception):
    """The person has no role that opens this page."""


class SignInAgain(Exception):
    """The session is over."""


class MandateOver(Exception):
    """The mandate under which the person acted is over. The session goes on for their own company."""


class Visit:
    """One request of a browser."""

    def __init__(self, request: Request, browser: Browser | None, posted: FormData | None) -> None:
        self.request = request
        self.context: ServiceContext = request.app.state.context
        self.site: Site = self.context.use(Site)
        self.settings = self.context.use(PortalSettings)
        self.browsers = Browsers(self.context.database, self.context.use(Bus))
        self.saved = SavedForms(self.context.database)
        self.browser = browser
        self.person: Person | None = browser.person if browser and not browser.ended else None
        self.language: Language = self._language_of(self.person)
        self.form = Form(self.language, posted)
        self._cookie: str | None = None

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.context.clock.now()

    @property
    def someone(self) -> Person:
        """The signed-in person. Raises SignInAgain."""
        if self.person is None:
            raise SignInAgain
        return self.person

    @property
    def company(self) -> UUID:
        """The exporter that the person acts for. Raises NotForYou for an officer."""
        try:
            return UUID(self.someone.organisation)
        except ValueError:
            raise NotForYou from None

    @property
    def address(self) -> str | None:
        """The IP address of the person's machine, as the reverse proxy tells it."""
        return self.request.client.host if self.request.client else None

    def path(self, name: str) -> str:
        """A part of the address of the page. Raises KeyError."""
        return str(self.request.path_params[name])

    def id(self, name: str) -> UUID:
        """A part of the address that is an id."""
        return UUID(self.path(name))

    def query(self, name: str, otherwise: str = "") -> str:
        """A value of the address after the question mark, at most 200 characters."""
        return self.request.query_params.get(name, otherwise).strip()[:200]

    def filter(self, name: str, kind: Any) -> Any:
        """A value of the address if it has the type of a contract's field; otherwise None, as if it were not there."""
        try:
            return TypeAdapter(kind).validate_python(self.query(name)) if self.query(name) else None
        except ValidationError:
            return None

    def here(self, **changed: str | None) -> str:
        """The address of this page with other values after the question mark; None removes one."""
        values = {**self.request.query_params, **changed}
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{self.request.url.path}?{query}" if query else self.request.url.path

    async def ask(self, request: BusRequest, *, step_up: str | None = None, own: bool = False) -> Any:
        """Sends a request with the person's token.

        A request that no agent may send for an exporter, and one with `own`, is not sent under the mandate.
        Raises AskRefused, NobodyAnswers, SignInAgain, MandateOver.
        """
        if self.browser is None or self.person is None:
            raise SignInAgain
        former = self.browser
        valid = await self.browsers.with_valid_token(former, self.now, self.address)
        if valid is None or valid.person is None:
            raise SignInAgain
        self.browser, self.person = valid, valid.person
        if former.person and former.person.mandate_id and valid.person.mandate_id is None:
            raise MandateOver
        acting = None if own or not request.under_mandate else valid.sealed.get("acting_token")
        try:
            return await self.context.use(Bus).ask(
                request, token=acting or valid.sealed["token"], step_up=step_up, from_where=self.address
            )
        except AskRefused as refused:
            if refused.refusal.code not in SESSION_OVER:
                raise
            if acting:
                await self.change_browser(Browser.as_oneself)
                raise MandateOver from None
            await self.browsers.end(valid)
            raise SignInAgain from None

    async def ask_or(self, otherwise: T, request: BusRequest, *codes: str) -> Any | T:
        """The answer to a request, or `otherwise` if it is refused with one of these codes."""
        try:
            return await self.ask(request)
        except AskRefused as refused:
            if refused.refusal.code not in codes:
                raise
            return otherwise

    async def ask_anonymously(self, request: BusRequest) -> Any:
        """Sends a request that needs no token."""
        return await self.context.use(Bus).ask(request, from_where=self.address)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Renders a page."""
        cookie = self._cookie or (self.browser.cookie if self.browser else "")
        response = self.site.page(
            self.request,
            template,
            language=self.language,
            status=422 if self.form.errors and status == 200 else status,
            person=self.person,
            links=links_for(self.person, self.request.url.path, self.language.gettext),
            form=self.form,
            csrf=form_token(cookie) if cookie else "",
            csrf_field=FIELD,
            done=self.query("done"),
            now=self.now,
            visit=self,
            Role=Role,
            MINISTRY=MINISTRY,
            **values,
        )
        return self._with_cookie(response)

    def go(self, path: str, done: str = "") -> Response:
        """Goes to another page of the portal. `done`: the key of the notice that it shows."""
        target = own_address(path, f"{PREFIX}/")
        if done:
            target += f"{'&' if '?' in target else '?'}done={quote(done)}"
        return self._with_cookie(RedirectResponse(target, 303))

    def keep(self, browser: Browser) -> None:
        """Gives the browser this session with the response."""
        self.browser, self.person, self._cookie = browser, browser.person, browser.cookie
        self.language = self._language_of(browser.person)

    async def change_person(self, **changes: Any) -> None:
        """Changes what the session knows about the person."""
        await self.change_browser(lambda fresh: replace(fresh, person=fresh.person and fresh.person.model_copy(update=changes)))

    async def change_browser(self, changed: Callable[[Browser], Browser]) -> None:
        """Changes the session. Raises SignInAgain if it is gone."""
        browser = await self.browsers.change(self.browser.cookie, changed) if self.browser else None
        if browser is None:
            raise SignInAgain
        self.browser, self.person = browser, None if browser.ended else browser.person

    async def seal(self, **values: Any) -> None:
        """Keeps values in the session, encrypted; None removes one."""

        def changed(fresh: Browser) -> Browser:
            return replace(
                fresh, sealed={name: value for name, value in {**fresh.sealed, **values}.items() if value is not None}
            )

        await self.change_browser(changed)

    @property
    def sealed(self) -> dict[str, Any]:
        """What the session keeps, encrypted."""
        return self.browser.sealed if self.browser and not self.browser.ended else {}

    def _language_of(self, person: Person | None) -> Language:
        """The language chosen in this browser; otherwise that of the person's account."""
        chosen = self.request.cookies.get(COOKIE)
        if chosen not in LANGUAGES:
            chosen = person.language if person else None
        languages = self.site.languages
        return languages.of(self.request, chosen)

    def _with_cookie(self, response: Response) -> Response:
        if self._cookie is not None:
            response.set_cookie(
                cookie_name(self.settings),
                self._cookie,
                path="/",
                secure=self.settings.secure_cookies,
                httponly=True,
                samesite="lax",
            )
        return response


def cookie_name(settings: PortalSettings) -> str:
    """The name of the cookie. `__Host-` makes browsers refuse one that another host or an unencrypted page has set."""
    return "__Host-portal" if settings.secure_cookies else "portal"
