"""A person's own account: language, password, and open sessions."""

from uuid import UUID

from starlette.responses import Response

from services.portal.acting import oneself
from services.portal.company_words import CompanyWords
from services.portal.page import page
from services.portal.settings import PREFIX
from services.portal.visit import SignInAgain, Visit
from shared.contracts.registry.identity import ListSessions, RevokeSession, RevokeSessions, Sessions
from shared.contracts.registry.profiles import ChooseLanguage, GetProfile, ProfileState
from shared.contracts.registry.users import RequestPasswordReset
from shared.web.languages import COOKIE

HERE = f"{PREFIX}/account"


async def show_account(visit: Visit) -> Response:
    """Name, roles, language, and the ways to the other pages of the account."""
    profile: ProfileState = await visit.ask(GetProfile())
    visit.form.defaults({"language": profile.language})
    return visit.page("account/account.html", profile=profile, words=CompanyWords(visit.language), me=oneself(visit))


async def change_account(visit: Visit) -> Response:
    """Chooses the language of notices and pages, or sends the link to choose another password."""
    if visit.form.text("act") == "password":
        profile: ProfileState = await visit.ask(GetProfile())
        await visit.ask_anonymously(RequestPasswordReset(email=profile.email, address=visit.address))
        return visit.go(HERE, done="link-sent")
    command = visit.form.build(ChooseLanguage, ["language"])
    await visit.ask(command)
    await visit.change_person(language=command.language)
    response = visit.go(HERE, done="language")
    response.set_cookie(COOKIE, command.language, max_age=31_536_000, httponly=True, samesite="lax", path="/")
    return response


async def show_sessions(visit: Visit) -> Response:
    """The open sessions of the person."""
    answer: Sessions = await visit.ask(ListSessions())
    return visit.page("account/sessions.html", sessions=answer.sessions)


async def end_sessions(visit: Visit) -> Response:
    """Ends one session, or all of them with this one."""
    if visit.form.text("act") == "all":
        await visit.ask(RevokeSessions())
        if visit.browser is not None:
            await visit.browsers.end(visit.browser)
        return visit.go(f"{PREFIX}/sign-in?done=signed-out")
    command = visit.form.build(RevokeSession, ["session_id"])
    await visit.ask(command)
    if command.session_id in (None, _this_one(visit)):
        raise SignInAgain
    return visit.go(f"{HERE}/sessions", done="ended")


def _this_one(visit: Visit) -> UUID:
    return visit.someone.session_id


routes = [
    page("/account", show_account, change_account),
    page("/account/sessions", show_sessions, end_sessions),
]
