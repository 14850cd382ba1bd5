"""People sign in, stay signed in, and lose nothing when a session ends."""

from tests.support.portal import System


async def test_a_person_of_a_company_signs_in_and_out(system: System) -> None:
    browser = await system.signed_in(await system.exporter())
    assert "Welcome" in browser.text

    assert "You are signed out" in await browser.send("sign-out")
    assert "Sign in" in await browser.get("/")


async def test_an_officer_signs_in_with_a_code(system: System) -> None:
    officer, browser = await system.officer("reviewer"), system.browser()
    await browser.get("/sign-in")
    await browser.send("sign-in", email=officer.email, password=officer.password)
    assert not browser.page.xpath("//*[@data-passkey]"), "a passkey is offered only to a person who has one"
    officer.later()

    await browser.send("sign-in/code", code=officer.code())

    assert "Welcome" in browser.text


async def test_a_wrong_password_is_said_on_the_same_page_and_the_address_stays(system: System) -> None:
    browser = system.browser()
    await browser.get("/sign-in")

    text = await browser.send("sign-in", email="stranger@company.example", password="not the right one")

    assert browser.response is not None
    assert browser.response.status_code == 422
    assert "must be corrected" in text
    assert browser.form("sign-in").fields["email"] == "stranger@company.example"
    assert browser.form("sign-in").fields["password"] in ("", None)


async def test_a_form_without_the_token_of_its_page_is_refused(system: System) -> None:
    browser = system.browser()
    await browser.get("/sign-in")

    text = await browser.send("sign-in", csrf="x" * 43, email="a@company.example", password="correct horse battery")

    assert browser.response is not None
    assert browser.response.status_code == 403
    assert "not sent from a page of this site" in text


async def test_pages_are_in_khmer_for_those_who_ask_for_it(system: System) -> None:
    browser = system.browser("km, en;q=0.5")
    await browser.get("/sign-in")

    assert browser.page.get("lang") == "km"
