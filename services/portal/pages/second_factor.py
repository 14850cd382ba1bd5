"""The second factor: a person sets up an authenticator, and keeps recovery codes."""

from io import BytesIO
from urllib.parse import parse_qs, quote, urlsplit

import segno
from markupsafe import Markup
from starlette.responses import Response

from services.portal.acting import renew_token
from services.portal.page import page
from services.portal.proofs import challenge, proof_of
from services.portal.settings import PREFIX
from services.portal.visit import SECOND_FACTOR, Visit
from shared.contracts.registry.passkeys import ListPasskeys, Passkeys, RenewRecoveryCodes
from shared.contracts.registry.profiles import GetProfile, ProfileState
from shared.contracts.registry.second_factor import ConfirmSecondFactor, EnrolSecondFactor, RecoveryCodes, SecondFactorOffer
from shared.web.site import own_address

CODES = f"{PREFIX}/account/recovery-codes"
HOME = f"{PREFIX}/"


def next_of(visit: Visit) -> str:
    """Where the person wanted to go before the second factor was set up."""
    return own_address(visit.form.text("next") or visit.query("next"), HOME)


async def show_second_factor(visit: Visit) -> Response:
    """What the person has: authenticator, passkeys, recovery codes; and the form to set up an authenticator."""
    profile: ProfileState = await visit.ask(GetProfile())
    passkeys = () if visit.someone.enrolling else (await _passkeys(visit)).passkeys
    return visit.page(
        "account/second_factor.html",
        profile=profile,
        passkeys=passkeys,
        options=await challenge(visit, len(passkeys), EnrolSecondFactor),
        next=next_of(visit),
    )


async def _passkeys(visit: Visit) -> Passkeys:
    answer: Passkeys = await visit.ask(ListPasskeys())
    return answer


async def enrol(visit: Visit) -> Response:
    """Asks for an authenticator. Its secret is kept in the session, encrypted, until it is confirmed."""
    command = visit.form.build(EnrolSecondFactor, [], **proof_of(visit))
    offer: SecondFactorOffer = await visit.ask(command)
    await visit.seal(otpauth=offer.otpauth)
    return visit.go(f"{SECOND_FACTOR}/confirm?next={quote(next_of(visit))}")


async def show_confirm(visit: Visit) -> Response:
    """The QR code for the authenticator, and the field for its first code."""
    otpauth = visit.sealed.get("otpauth")
    if otpauth is None:
        return visit.go(SECOND_FACTOR)
    secret = parse_qs(urlsplit(otpauth).query).get("secret", [""])[0]
    groups = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    return visit.page("account/confirm.html", qr=qr_of(otpauth), otpauth=otpauth, secret=groups, next=next_of(visit))


def qr_of(text: str) -> Markup:
    """A QR code as an SVG element."""
    out = BytesIO()
    picture = segno.make(text, error="m", micro=False)
    picture.save(out, kind="svg", xmldecl=False, omitsize=True, border=3, svgclass="qr", lineclass=None, light="#fff")
    return Markup(out.getvalue().decode())  # noqa: S704 - segno writes only numbers into it


async def confirm(visit: Visit) -> Response:
    """The first code of the new authenticator. From now on every sign-in needs a code, and the session has all roles."""
    target = next_of(visit)
    codes: RecoveryCodes = await visit.ask(visit.form.build(ConfirmSecondFactor, ["code"]))
    await visit.seal(otpauth=None, recovery_codes=list(codes.recovery_codes))
    if visit.someone.enrolling:
        await renew_token(visit)
    return visit.go(f"{CODES}?next={quote(target)}")


async def show_codes(visit: Visit) -> Response:
    """The recovery codes until the person has kept them; otherwise the form for new ones."""
    codes = visit.sealed.get("recovery_codes")
    if codes is None:
        passkeys = (await _passkeys(visit)).passkeys
        options = await challenge(visit, len(passkeys), RenewRecoveryCodes)
        return visit.page("account/renew_codes.html", options=options)
    return visit.page("account/recovery_codes.html", codes=codes, next=next_of(visit))


async def change_codes(visit: Visit) -> Response:
    """The person has kept the codes, or asks for new ones."""
    if visit.form.text("act") == "kept":
        await visit.seal(recovery_codes=None)
        return visit.go(next_of(visit))
    codes: RecoveryCodes = await visit.ask(visit.form.build(RenewRecoveryCodes, [], **proof_of(visit)))
    await visit.seal(recovery_codes=list(codes.recovery_codes))
    return visit.go(CODES)


routes = [
    page("/account/second-factor", show_second_factor, enrol, while_enrolling=True),
    page("/account/second-factor/confirm", show_confirm, confirm, while_enrolling=True),
    page("/account/recovery-codes", show_codes, change_codes),
]
