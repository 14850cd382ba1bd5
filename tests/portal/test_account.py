"""A person's account: language, sessions, second factor and passkeys."""

import pyotp

from shared.contracts.registry.users import AcceptInvitation
from tests.registry.people import PASSPHRASE, Human, an_invitation, mailbox
from tests.support.portal import Browser, System
from tests.support.software_passkey import SoftwarePasskey


def code(system: System, totp: pyotp.TOTP) -> str:
    """The code of an authenticator at the present time."""
    return totp.generate_otp(int(system.registry.clock.now().timestamp()) // 30)


async def set_up_authenticator(system: System, browser: Browser) -> pyotp.TOTP:
    """Sets up an authenticator by the pages; the browser shows its recovery codes."""
    await browser.send("account/second-factor", password=PASSPHRASE)
    otpauth = browser.page.xpath("//a[starts-with(@href, 'otpauth:')]/@href")[0]
    assert browser.page.xpath("//*[@role='img']//*[name()='svg']")
    totp = pyotp.parse_uri(otpauth)
    assert isinstance(totp, pyotp.TOTP)
    text = await browser.send("second-factor/confirm", code="000000")
    assert "This code is wrong" in text
    system.administrator.later()
    await browser.send("second-factor/confirm", code=code(system, totp))
    return totp


async def test_an_officer_sets_up_the_second_factor_before_anything_else(system: System) -> None:
    invitation = an_invitation(roles=["reviewer"])
    await system.administrator.confirm(invitation)
    await system.registry.do_tasks()
    token = mailbox(system.registry).link(invitation.email, "invitation")
    await system.registry.ask(AcceptInvitation(token=token, password=PASSPHRASE))

    browser = await system.signed_in(Human(system.registry, invitation.email))
    assert "Set up a second factor first" in browser.text
    assert "Set up a second factor first" in await browser.get("/queue")
    await set_up_authenticator(system, browser)
    assert "Print your recovery codes" in browser.text
    codes = browser.page.xpath("//ul[contains(@class, 'codes')]/li/text()")
    assert len(codes) >= 5
    await browser.send("recovery-codes", act="kept")

    assert "To review" in browser.text
    assert "Print" not in await browser.get("/account/recovery-codes")

    other = system.browser()
    await other.get("/sign-in")
    await other.send("sign-in", email=invitation.email, password=PASSPHRASE)
    assert "Fill in this field." in await other.send("sign-in/code", code=" ")
    await other.send("sign-in/code", code=codes[0].lower())
    assert "Welcome" in other.text


async def test_a_passkey_is_added_signs_in_and_is_removed(system: System) -> None:
    human, device = await system.exporter(), SoftwarePasskey()
    browser = await system.signed_in(human)
    await browser.get("/account/passkeys/new")
    await browser.send("passkeys/new", password=PASSPHRASE)
    options = browser.page.xpath("//*[@data-passkey='create']/@data-options")[0]
    text = await browser.send("passkeys/name", name="ទូរសព្ទ <b>", response=device.created(options))
    assert "The passkey is added." in text
    assert "ទូរសព្ទ <b>" in text

    other = system.browser()
    await other.get("/sign-in")
    await other.send("sign-in", email=human.email, password=PASSPHRASE)
    options = other.page.xpath("//*[@data-passkey='get']/@data-options")[0]
    await other.send("sign-in/code", passkey=device.answered(options))
    assert "Welcome" in other.text

    await browser.get(browser.page.xpath("//a[contains(@href, '/account/passkeys/')]/@href")[0])
    options = browser.page.xpath("//*[@data-passkey='get']/@data-options")[0]
    text = await browser.send(browser.path, password=PASSPHRASE, passkey=device.answered(options))
    assert "The passkey is removed." in text


async def test_a_passkey_that_is_not_genuine_changes_nothing(system: System) -> None:
    browser = await system.signed_in(await system.exporter())
    await browser.get("/account/passkeys/new")
    await browser.send("passkeys/new", password=PASSPHRASE)

    text = await browser.send("passkeys/name", name="x", response='{"hostile": "<script>"}')

    assert "The passkey was not accepted, and nothing was changed." in text


async def test_a_person_chooses_the_language_and_ends_other_sessions(system: System) -> None:
    human = await system.exporter()
    other, browser = await system.signed_in(human), await system.signed_in(human)
    await browser.get("/account")
    assert human.email in browser.text
    await browser.send("portal/account", language="km")
    assert browser.page.get("lang") == "km"
    await browser.http.post("/portal/language", data={"language": "en", "back": "/portal/account"})

    await browser.get("/account/sessions")
    assert "this one" in browser.text
    assert len(browser.page.xpath("//tbody/tr")) == 3
    mine = browser.page.xpath("//tr[.//*[contains(@class, 'tag')]]//form")[0]
    text = await browser.send("account/sessions", act="all")
    assert "You are signed out" in text
    assert mine.fields["session_id"]
    await other.get("/account")
    assert other.path == "/portal/sign-in"


async def test_the_link_for_another_password_is_sent_to_the_own_address(system: System) -> None:
    human = await system.exporter()
    browser = await system.signed_in(human)
    await browser.get("/account")
    form = next(form for form in browser.page.forms if form.fields.get("act") == "password")

    browser.response = await browser.http.post(form.action, data=dict(form.form_values()))

    assert f"on its way to {human.email}" in browser.text
    await system.registry.do_tasks()
    assert mailbox(system.registry).link(human.email, "reset")
