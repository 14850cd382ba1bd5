"""What every page does alike.

A page is a function that shows it, and perhaps one that acts on its form. If the act is refused, the page is shown again with
what was typed and the reasons. If the session is over, the form is saved, and filled in again after the sign-in.
"""

import json
import logging
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.portal.browsers import Browsers
from services.portal.bus import Bus
from services.portal.forms import FormInvalid
from services.portal.posted import FormTooLarge, posted_form
from services.portal.settings import PREFIX, PortalSettings
from services.portal.visit import SECOND_FACTOR, MandateOver, NotForYou, Show, SignInAgain, Visit, cookie_name
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.roles import Role
from shared.handling.work import ServiceContext
from shared.refusals import InternalError, Refused
from shared.web.origin import FIELD, must_come_from_here

log = logging.getLogger(__name__)


def page(
    path: str,
    show: Show,
    act: Show | None = None,
    *,
    roles: frozenset[Role] | None = None,
    signed_in: bool = True,
    while_enrolling: bool = False,
) -> Route:
    """The route of one page. `roles`: who may open it; by default every signed-in person.

    `while_enrolling`: also a person who must set up a second factor first. Every other page leads that person there.
    """

    async def endpoint(request: Request) -> Response:
        return await _answer(request, show, act, roles, signed_in, while_enrolling or not signed_in)

    return Route(f"{PREFIX}{path}", endpoint, methods=["GET", "POST"] if act else ["GET"])


async def _answer(
    request: Request, show: Show, act: Show | None, roles: frozenset[Role] | None, signed_in: bool, while_enrolling: bool
) -> Response:
    context: ServiceContext = request.app.state.context
    settings, browsers = context.use(PortalSettings), Browsers(context.database, context.use(Bus))
    cookie = request.cookies.get(cookie_name(settings))
    browser = await browsers.find(cookie)
    try:
        posted = await posted_form(request) if request.method == "POST" else None
    except FormTooLarge:
        return Visit(request, browser, None).page("problem.html", status=413, code="form_too_large", detail="")
    visit = Visit(request, browser, posted)
    try:
        if signed_in and visit.person is None:
            raise SignInAgain
        if visit.person is not None and visit.person.enrolling and not while_enrolling:
            return visit.go(SECOND_FACTOR)
        if roles is not None and not visit.someone.has(*roles):
            raise NotForYou
        if posted is None or act is None:
            await _restore(visit)
            return await show(visit)
        must_come_from_here(request, cookie or "", str(posted.get(FIELD, "")))
        return await _act(visit, show, act)
    except SignInAgain:
        return await _sign_in_first(visit)
    except FormInvalid:  # the address of the page has a value that cannot be
        return visit.page("problem.html", status=400, code="malformed_request", detail=visit.form.errors[0][1])
    except MandateOver:
        return visit.go(f"{PREFIX}/company/acting", done="over")
    except NotForYou:
        return visit.page("problem.html", status=403, code="role_required", detail="")
    except AskRefused as refused:
        refusal = refused.refusal
        detail = visit.language.refusal(refusal.code, refusal.values, refusal.detail)
        status = 404 if refusal.code.endswith(("_not_found", "_not_received")) else 403
        return visit.page("problem.html", status=status, code=refusal.code, detail=detail)
    except Refused as refused:
        return visit.page("problem.html", status=403, code=refused.code, detail=refused.sentence(visit.language.code))
    except (NobodyAnswers, TimeoutError, OSError) as error:
        log.warning("a page got no answer", extra={"page": request.url.path, "error": type(error).__name__})
        return visit.page("problem.html", status=503, code="temporarily_unavailable", detail="")
    except Exception:
        log.exception("a page has failed", extra={"page": request.url.path})
        return visit.page(
            "problem.html", status=500, code="internal_error", detail=InternalError().sentence(visit.language.code)
        )


async def _act(visit: Visit, show: Show, act: Show) -> Response:
    """Acts on a form. If it is refused, or nobody answers, the page is shown again with what was typed."""
    try:
        response = await act(visit)
    except FormInvalid:
        return await show(visit)
    except AskRefused as refused:
        visit.form.refuse(refused.refusal)
        return await show(visit)
    except NobodyAnswers:
        _ = visit.language.gettext
        visit.form.fail("", _("The service does not answer at the moment. What you typed is still here: send it again."))
        return await show(visit)
    if visit.person is not None:
        await visit.saved.forget(visit.person.user_id, visit.request.url.path)
    return response


async def _restore(visit: Visit) -> None:
    """Fills the form with what was typed before the session ended."""
    if visit.person is None or not visit.query("restored"):
        return
    if saved := await visit.saved.find(visit.person.user_id, visit.request.url.path):
        visit.form.restore(saved.fields)


async def _sign_in_first(visit: Visit) -> Response:
    """Saves the form of a session that is over, and asks the person to sign in."""
    back, request = visit.here(), visit.request
    if request.method == "POST":
        known = visit.browser.person if visit.browser else None
        if known is not None and visit.form.fields and "password" not in visit.form.fields:
            await visit.saved.save(known.user_id, request.url.path, json.dumps(visit.form.fields), visit.now)
        back = visit.here(restored="yes")
    reason = "over" if visit.browser is not None and visit.browser.person is not None else ""
    query = urlencode({"next": back, **({"why": reason} if reason else {})})
    return visit.go(f"{PREFIX}/sign-in?{query}")
