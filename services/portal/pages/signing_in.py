"""Signing in and out, invitations, and forgotten passwords."""

from dataclasses import replace
from urllib.parse import quote

from starlette.responses import Response

from services.portal.browsers import Person
from services.portal.page import page
from services.portal.pages.passwords import must_be_same_twice
from services.portal.proofs import options_or_none, second_factor_of
from services.portal.settings import PREFIX
from services.portal.visit import SECOND_FACTOR, SignInAgain, Visit
from shared.bus.client import AskRefused
from shared.contracts.registry.identity import OpenSession, RevokeSession, Session
from shared.contracts.registry.passkeys import ChallengeSignIn
from shared.contracts.registry.profiles import GetProfile, ProfileState
from shared.contracts.registry.users import AcceptInvitation, RequestPasswordReset, ResetPassword
from shared.refusals import LANGUAGES
from shared.web.languages import COOKIE
from shared.web.site import own_address

CODE_NEEDED = "second_factor_required"
HOME = f"{PREFIX}/"


async def show_sign_in(visit: Visit) -> Response:
    """The form with e-mail and password. A browser without a session gets one, so that the form has a token."""
    if visit.person is not None and not visit.query("why"):
        return visit.go(own_address(visit.query("next"), HOME))
    if visit.browser is None or visit.browser.ended:
        visit.keep(await visit.browsers.begin({}, visit.now))
    return visit.page("sign_in.html", next=visit.query("next"), why=visit.query("why"))


async def sign_in(visit: Visit) -> Response:
    """Opens a session, or asks for the code of the second factor."""
    command = visit.form.build(OpenSession, ["email", "password"], address=visit.address)
    target = own_address(visit.form.text("next"), HOME)
    try:
        session: Session = await visit.ask_anonymously(command)
    except AskRefused as refused:
        if refused.refusal.code != CODE_NEEDED:
            raise
        sealed = {"email": command.email, "password": command.password, "passkeys": "passkey" in refused.refusal.fields}
        visit.keep(await visit.browsers.begin(sealed, visit.now))
        return visit.go(f"{PREFIX}/sign-in/code?next={quote(target)}")
    return await signed_in(visit, session, target)


async def show_code(visit: Visit) -> Response:
    """The form for the code of the second factor, or for a passkey if the person has one."""
    if visit.browser is None or "password" not in visit.browser.sealed or visit.browser.until <= visit.now:
        return visit.go(f"{PREFIX}/sign-in")
    sealed, options = visit.browser.sealed, None
    if sealed.get("passkeys"):
        options = await options_or_none(visit, ChallengeSignIn(email=sealed["email"]))
    return visit.page("sign_in_code.html", next=visit.query("next"), options=options)


async def send_code(visit: Visit) -> Response:
    """Opens a session with the code or the passkey."""
    browser = visit.browser
    if browser is None or "password" not in browser.sealed or browser.until <= visit.now:
        raise SignInAgain
    _ = visit.language.gettext
    shown = second_factor_of(visit)
    if not any(shown.values()):
        visit.form.fail("code", _("Fill in this field."))
        visit.form.must_be_valid()
    known = {name: browser.sealed[name] for name in ("email", "password")}
    command = visit.form.build(OpenSession, [], address=visit.address, **known, **shown)
    session: Session = await visit.ask_anonymously(command)
    await visit.browsers.end(browser)
    return await signed_in(visit, session, own_address(visit.form.text("next"), HOME))


async def signed_in(visit: Visit, session: Session, target: str) -> Response:
    """Gives the browser the new session. An officer without a second factor sets it up first."""
    person = Person(
        user_id=session.user_id,
        session_id=session.session_id,
        organisation=session.organisation,
        roles=session.roles,
        enrolling=session.enrolling,
    )
    visit.keep(await visit.browsers.sign_in(session, person))
    profile: ProfileState = await visit.ask(GetProfile())
    chosen = visit.request.cookies.get(COOKIE)
    await visit.change_person(
        name=profile.name,
        company_name=profile.company_name,
        language=chosen if chosen in LANGUAGES else _chosen_language(profile),
    )
    if session.enrolling:
        return visit.go(f"{SECOND_FACTOR}?next={quote(target)}")
    return visit.go(target)


def _chosen_language(profile: ProfileState) -> str | None:
    """The language of an account. English is also that of people who never chose one: then the browser decides."""
    return None if profile.language == "en" else profile.language


async def sign_out(visit: Visit) -> Response:
    """Ends the session here and in registry."""
    await visit.ask(RevokeSession(), own=True)
    if visit.browser is not None:
        await visit.browsers.end(replace(visit.browser, person=None))
    return visit.go(f"{PREFIX}/sign-in?done=signed-out")


async def show_invitation(visit: Visit) -> Response:
    """The form for the first password. The link of the e-mail has the token."""
    await _with_session(visit)
    return visit.page("choose_password.html", invited=True)


async def accept_invitation(visit: Visit) -> Response:
    """The invited person chooses a password."""
    must_be_same_twice(visit)
    await visit.ask_anonymously(visit.form.build(AcceptInvitation))
    return visit.go(f"{PREFIX}/sign-in?done=password-chosen")


async def show_forgotten(visit: Visit) -> Response:
    """The form for the e-mail address of a forgotten password."""
    await _with_session(visit)
    return visit.page("forgotten.html")


async def request_reset(visit: Visit) -> Response:
    """Sends a link, if there is an account. The answer is the same for every address."""
    await visit.ask_anonymously(visit.form.build(RequestPasswordReset, ["email"], address=visit.address))
    return visit.go(f"{PREFIX}/sign-in?done=link-sent")


async def show_reset(visit: Visit) -> Response:
    """The form for another password. The link of the e-mail has the token."""
    await _with_session(visit)
    return visit.page("choose_password.html", invited=False)


async def reset_password(visit: Visit) -> Response:
    """The person chooses another password."""
    must_be_same_twice(visit)
    await visit.ask_anonymously(visit.form.build(ResetPassword))
    return visit.go(f"{PREFIX}/sign-in?done=password-chosen")


async def _with_session(visit: Visit) -> None:
    if visit.browser is None or visit.browser.ended:
        visit.keep(await visit.browsers.begin({}, visit.now))


routes = [
    page("/sign-in", show_sign_in, sign_in, signed_in=False),
    page("/sign-in/code", show_code, send_code, signed_in=False),
    page("/sign-out", show_sign_in, sign_out, while_enrolling=True),
    page("/invitation", show_invitation, accept_invitation, signed_in=False),
    page("/forgotten", show_forgotten, request_reset, signed_in=False),
    page("/reset", show_reset, reset_password, signed_in=False),
]
