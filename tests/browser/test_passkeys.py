"""Passkeys, with the virtual authenticator of Chromium (WebAuthn, 11)."""

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


def with_authenticator(person: Reader) -> Any:
    """Connects an authenticator to the browser of a person. Returns the connection to the browser."""
    browser = person.page.context.new_cdp_session(person.page)
    browser.send("WebAuthn.enable")
    browser.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return browser


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
    with_authenticator(person)
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


def test_an_approval_is_confirmed_with_a_passkey(site: LiveSite, reader: Any) -> None:
    _exporter, certificates = an_exporter(site)
    reviewed(site, certificates)
    human = an_officer(site, "approver")
    approver = reader()
    with_authenticator(approver)
    approver.sign_in(human)
    add_passkey(approver, human, "Security key")
    approver.open(f"/certificates/{certificates[0]}")

    approver.send("/approve")
    approver.follow(approver.page.locator(BUTTON))

    assert approver.page.url.partition("?")[0].endswith(str(certificates[0]))
    assert approver.page.locator("h1").inner_text().startswith("D2026-PNH-")


def test_a_passkey_that_is_not_given_is_said_and_a_code_does_the_same(site: LiveSite, reader: Any) -> None:
    _exporter, certificates = an_exporter(site)
    reviewed(site, certificates)
    human = an_officer(site, "approver")
    approver = reader()
    browser = with_authenticator(approver)
    approver.sign_in(human)
    add_passkey(approver, human, "Security key")
    browser.send("WebAuthn.disable")
    browser.send("WebAuthn.enable")  # the device is not there any more
    browser.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    approver.open(f"/certificates/{certificates[0]}")
    approver.send("/approve")

    approver.page.locator(BUTTON).click()
    approver.page.locator("[data-passkey] .error").wait_for()
    approver.confirm(human)

    assert approver.page.locator("h1").inner_text().startswith("D2026-PNH-")
