"""A real browser, Debian's Chromium: required with `make test CONTAINERS=required`, else the tests are skipped."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.site import LiveSite, a_live_site
from tests.registry.people import Human

PHONE, DESK = {"width": 360, "height": 780}, {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this run."""
    if os.environ.get("CO_CONTAINERS") != "required":
        pytest.skip("in a real browser with `make test CONTAINERS=required`")
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("a browser is required, and there is no chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A running portal."""
    with a_live_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@dataclass
class Reader:
    """A person in front of a browser. Every page is checked for accessibility, width and errors of scripts."""

    page: Page
    site: LiveSite
    problems: list[str] = field(default_factory=list)
    loads: int = 0

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("load", lambda _: self._loaded())

    def _note(self, problem: str) -> None:
        if "status of 422" not in problem:  # a form with errors
            self.problems.append(f"{self.page.url}: {problem}")

    def _loaded(self) -> None:
        self.loads += 1

    def open(self, path: str) -> None:
        """Opens a page of the portal, and checks it."""
        self.page.goto(f"{self.site.address}/portal{path}")
        self.check()

    def check(self) -> None:
        """Checks the present page by the rules of WCAG 2.2 AA that a program can check, and its width and weight."""
        found = Axe().run(self.page)
        for each in found.response["violations"]:
            self.problems.append(f"{self.page.url}: {each['id']} at {each['nodes'][0]['html'][:200]}")
        if self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            self.problems.append(f"{self.page.url}: wider than the window")
        if len(self.page.content().encode()) > 100_000:
            self.problems.append(f"{self.page.url}: more than 100 KB")

    def press(self, text: str) -> None:
        """Presses a button or follows a link, and checks the page that follows."""
        target = self.page.get_by_role("button", name=text, exact=True).or_(
            self.page.get_by_role("link", name=text, exact=True)
        )
        with self.page.expect_navigation():
            target.first.click()
        self.check()

    def type(self, label: str, text: str, delay: float = 0) -> None:
        """Types into a field. `delay`: milliseconds for each key."""
        where = self.page.get_by_label(label).first
        where.fill("")
        where.press_sequentially(text, delay=delay)

    def sign_in(self, human: Human) -> None:
        """Signs in, with a code if the person has an authenticator."""
        self.open("/sign-in")
        self.page.locator("#f-email").fill(human.email)
        self.page.locator("#f-password").fill(human.password)
        with self.page.expect_navigation():
            self.page.locator("main form button").first.click()
        if human.totp is not None:
            self.check()
            self.page.locator("#f-code").fill(self.code_of(human))
            with self.page.expect_navigation():
                self.page.locator("form:has(#f-code) button.first").click()
        self.check()

    def code_of(self, human: Human) -> str:
        """A new code of a person's authenticator."""

        async def later() -> str:
            human.later()
            return human.code()

        return self.site.do(later())

    def text(self) -> str:
        """The text of the page."""
        return self.page.locator("main").inner_text()


@pytest.fixture
def reader(chromium: Browser, site: LiveSite) -> Iterator[Any]:
    """Makes people in front of browsers: `reader(language="km", viewport=PHONE)`. At the end no page may have had a problem."""
    made: list[Reader] = []

    def make(language: str = "en", viewport: dict[str, int] = DESK, **options: Any) -> Reader:
        context = chromium.new_context(locale=language, viewport=viewport, **options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        made.append(Reader(context.new_page(), site))
        return made[-1]

    yield make
    for each in made:
        each.page.context.close()
    assert [problem for each in made for problem in each.problems] == []
