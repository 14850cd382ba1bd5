"""Passkeys: a person adds, sees and removes them. The browser makes a passkey, so adding one needs JavaScript."""

from uuid import UUID

from starlette.responses import Response

from services.portal.acting import renew_token
from services.portal.page import page
from services.portal.proofs import challenge, proof_of
from services.portal.settings import PREFIX
from services.portal.visit import SECOND_FACTOR, NotForYou, Visit
from shared.bus.client import AskRefused
from shared.contracts.registry.passkeys import (
    AddPasskey,
    BeginPasskey,
    ListPasskeys,
    PasskeyOptions,
    Passkeys,
    PasskeyState,
    RemovePasskey,
)
from shared.contracts.registry.profiles import GetProfile, ProfileState

HERE = f"{PREFIX}/account/passkeys"


async def show_begin(visit: Visit) -> Response:
    """The form with the password, before a passkey is added."""
    profile: ProfileState = await visit.ask(GetProfile())
    options = await challenge(visit, profile.passkeys, BeginPasskey)
    return visit.page("account/begin_passkey.html", profile=profile, options=options)


async def begin(visit: Visit) -> Response:
    """Asks for the options by which the browser makes a passkey."""
    offer: PasskeyOptions = await visit.ask(visit.form.build(BeginPasskey, [], **proof_of(visit)))
    await visit.seal(passkey_options=offer.options)
    return visit.go(f"{HERE}/name")


async def show_name(visit: Visit) -> Response:
    """The name of the new passkey, and the button by which the browser makes it."""
    options = visit.sealed.get("passkey_options")
    if options is None:
        return visit.go(f"{HERE}/new")
    return visit.page("account/name_passkey.html", options=options)


async def add(visit: Visit) -> Response:
    """Stores the passkey that the browser has made. If it was not accepted, the person begins again."""
    command, enrolling = visit.form.build(AddPasskey, ["name", "response"]), visit.someone.enrolling
    await visit.seal(passkey_options=None)
    try:
        await visit.ask(command)
    except AskRefused:
        return visit.go(SECOND_FACTOR, done="passkey-not-added")
    if enrolling:
        await renew_token(visit)
    return visit.go(SECOND_FACTOR, done="passkey-added")


async def show_passkey(visit: Visit) -> Response:
    """One passkey, and the form to remove it."""
    passkey, passkeys = await _passkey(visit)
    options = await challenge(visit, passkeys, RemovePasskey)
    return visit.page("account/passkey.html", passkey=passkey, options=options)


async def remove(visit: Visit) -> Response:
    """Removes a passkey."""
    passkey, _ = await _passkey(visit)
    await visit.ask(visit.form.build(RemovePasskey, [], passkey_id=passkey.passkey_id, **proof_of(visit)))
    return visit.go(SECOND_FACTOR, done="passkey-removed")


async def _passkey(visit: Visit) -> tuple[PasskeyState, int]:
    """The passkey of the address, and how many the person has."""
    try:
        passkey_id: UUID = visit.id("passkey_id")
    except ValueError:
        raise NotForYou from None
    answer: Passkeys = await visit.ask(ListPasskeys())
    found = next((each for each in answer.passkeys if each.passkey_id == passkey_id), None)
    if found is None:
        raise NotForYou
    return found, len(answer.passkeys)


routes = [
    page("/account/passkeys/new", show_begin, begin, while_enrolling=True),
    page("/account/passkeys/name", show_name, add, while_enrolling=True),
    page("/account/passkeys/{passkey_id}", show_passkey, remove),
]
