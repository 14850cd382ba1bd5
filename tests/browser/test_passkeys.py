"""Passkeys, with the virtual authenticator of Chromium (WebAuthn, 11)."""

from collections.abc import Callable
from typing import Any

from tests.browser.conftest import PersonOf
from tests.browser.makers import an_exporter, an_officer, reviewed
from tests.browser.reader import Reader
from tests.browser.site import LiveSite
from tests.registry.people import Human

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}
BUTTON = "[data-passkey] button"


def with_device(person: Reader) -> Callable[[], object]:
    """Connects an empty authenticator to the browser of a person. Returns what removes it."""
    browser = person.page.context.new_cdp_session(person.page)
    browser.send("WebAuthn.enable")
    device = browser.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return lambda: browser.send("WebAuthn.removeVirtualAuthenticator", device)


def add_passkey(person: Reader, human: Human, name: str) -> None:
    """Adds a passkey on the page of the second factor."""
    person.open("/account/second-factor")
    person.press("Add a passkey")
    proof = {"password": human.password}
    if human.totp is not None:
        proof["code"] = person.code_of(human)
    person.send("/passkeys/new", proof)
    person.page.locator("input[name=name]").fill(name)
    person.follow(person.page.locator(BUTTON))
    assert person.say("The passkey is added. You can sign in with it from now on.") in person.text()


def test_a_passkey_is_added_signs_in_and_is_removed(site: LiveSite, person_of: PersonOf) -> None:
    human, _certificates = an_exporter(site, submitted=False)
    person = person_of()
    with_device(person)
    person.sign_in(human)
    add_passkey(person, human, "Laptop in the office")
    person.press("Sign out")

    person.send("/sign-in", {"email": human.email, "password": human.password})
    assert person.page.locator("#f-code").is_visible()
    person.follow(person.page.locator(BUTTON))
    assert person.page.url.endswith("/portal/")

    person.open("/account/second-factor")
    person.follow(person.page.get_by_role("link", name="Laptop in the office"))
    person.page.locator("#f-password").fill(human.password)
    person.follow(person.page.locator(BUTTON))
    assert person.say("The passkey is removed.") in person.text()


def test_an_approval_is_confirmed_with_a_passkey_or_without_the_device_with_a_code(site: LiveSite, reader: Any) -> None:
    _exporter, certificates = an_exporter(site, count=2)
    reviewed(site, certificates)
    human = an_officer(site, "approver")
    approver = reader()
    remove_device = with_device(approver)
    approver.sign_in(human)
    add_passkey(approver, human, "Security key")

    approver.open(f"/certificates/{certificates[0]}")
    approver.send("/approve")
    approver.follow(approver.page.locator(BUTTON))
    assert approver.page.locator("h1").inner_text().startswith("D2026-PNH-")

    remove_device()  # and connect another one, so that the browser does not wait for a person
    with_device(approver)
    approver.open(f"/certificates/{certificates[1]}")
    approver.send("/approve")
    approver.page.locator(BUTTON).click()
    approver.page.locator("[data-passkey] .error").wait_for()
    approver.confirm(human)
    assert approver.page.locator("h1").inner_text().startswith("D2026-PNH-")
