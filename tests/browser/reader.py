"""A person in front of a browser, and what every page that they see is checked for."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pyotp
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Locator, Page

from shared.web.languages import Languages

ROOT = Path(__file__).parents[2]
TEXTS = Languages(
    [ROOT / folder / "locales" for folder in ("shared/web", "services/portal", "services/tracking")],
    ZoneInfo("Asia/Phnom_Penh"),
)
MAX_BYTES = 100_000
"""Bytes of a page with its style sheet, scripts and pictures, before compression and without fonts."""
WEIGHT = """() => performance.getEntriesByType('navigation')[0].decodedBodySize
    + performance.getEntriesByType('resource').filter(each => !/\\.woff2|\\.webm/.test(each.name))
        .reduce((sum, each) => sum + each.decodedBodySize, 0)"""
OUTLINE = (
    "() => [...document.querySelectorAll('main :is(h2, label, legend, th[scope=col], button)')].map(e => e.innerText.trim())"
)
EXPECTED = re.compile("status of (422|401|403|404|409)|ERR_INTERNET_DISCONNECTED")
"""The answers to wrong input and an absent connection, which Chromium writes to its console."""


class Somebody(Protocol):
    """A person who can sign in. `totp`: their authenticator, if they have one."""

    email: str
    password: str
    totp: pyotp.TOTP | None


@dataclass
class PageRecord:
    """What was measured on the pages of one address. `bytes`: of the heaviest one."""

    visits: int = 0
    bytes: int = 0
    violations: int = 0


PAGES: dict[str, PageRecord] = {}
"""The pages of this run, by address; an id or a reference in an address is written `…`."""


EXAMINED: set[tuple[object, ...]] = set()
"""The pages that axe has examined: address, language, width, colours, and outline."""
BUTTONS = "button:not([type=button])"


@dataclass
class Reader:
    """A person with a browser. `address`: of the portal's site, and `public`: of the public one, without a slash at the end.

    `code_of` makes a new code of a person's authenticator. `problems` must be empty at the end.
    """

    page: Page
    address: str
    public: str
    language: str
    code_of: Callable[[Any], str]
    problems: list[str] = field(default_factory=list)
    loads: int = 0
    pace: float = 0
    """Milliseconds for a key. A person with a pace is recorded, and a check would stop the video."""

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))
        self.page.on("load", lambda _: self._loaded())

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not EXPECTED.search(message.text):
            self.problems.append(f"{self.page.url}: {message.text}")

    def _loaded(self) -> None:
        self.loads += 1

    def say(self, text: str) -> str:
        """A text of the pages in the language of this person."""
        return TEXTS.all[self.language].gettext(text)

    def open(self, path: str) -> None:
        """Opens a page of the portal, and checks it."""
        self.page.goto(f"{self.address}/portal{path}")
        self.check()

    def open_public(self, path: str) -> None:
        """Opens a page of the public site, and checks it."""
        self.page.goto(f"{self.public}{path}")
        self.check()

    def check(self) -> None:
        """Checks the present page by the rules of WCAG 2.2 AA that a program can check, its width, weight and language."""
        self.page.wait_for_load_state()
        if self.pace:
            return
        found = self._violations()
        for each in found:
            self.problems.append(f"{self.page.url}: {each['id']} at {each['nodes'][0]['html'][:200]}")
        if self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            self.problems.append(f"{self.page.url}: wider than the window")
        if self.page.locator("html").get_attribute("lang") != self.language:
            self.problems.append(f"{self.page.url}: not in the language of the person")
        size = self.page.evaluate(WEIGHT)
        if size > MAX_BYTES:
            self.problems.append(f"{self.page.url}: {size} bytes")
        record = PAGES.setdefault(self._pattern(), PageRecord())
        record.visits, record.bytes, record.violations = (
            record.visits + 1,
            max(record.bytes, size),
            record.violations + len(found),
        )

    def _violations(self) -> list[dict[str, Any]]:
        """What axe finds. A page that looks like one before is not examined again: it takes a second."""
        looks = self.page.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]")
        look = (self._pattern(), self.language, *looks, *self.outline())
        if look in EXAMINED:
            return []
        EXAMINED.add(look)
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return found

    def _pattern(self) -> str:
        path = self.page.evaluate("location.pathname")
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[A-Z]{1,5}\d{4}-[A-Z]{2,5}-\d{6}", "…", path)

    def outline(self) -> list[str]:
        """The headings, labels and buttons of the page."""
        return [text for text in self.page.evaluate(OUTLINE) if text]

    def target(self, text: str) -> Locator:
        """The first visible button or link with this text."""
        said = self.say(text)
        found = self.page.get_by_role("button", name=said, exact=True).or_(self.page.get_by_role("link", name=said, exact=True))
        return found.locator("visible=true").first

    def press(self, text: str) -> None:
        """Presses a button or follows a link, and checks the page that follows."""
        self.follow(self.target(text))

    def follow(self, target: Locator) -> None:
        """Presses a button or follows a link, and checks the page that follows."""
        with self.page.expect_navigation():
            target.click()
        self.check()

    def type(self, label: str, text: str, delay: float | None = None) -> None:
        """Types into a field. `delay`: milliseconds for each key; None: the pace of the person."""
        where = self.page.get_by_label(self.say(label)).first
        where.fill("")
        where.press_sequentially(text, delay=self.pace if delay is None else delay)

    def form(self, action: str) -> Locator:
        """The form whose address ends like this. It is unfolded if it is folded."""
        found = self.page.locator(f"form[action$='{action}']:has({BUTTONS})").first
        folded = self.page.locator("details:not([open])", has=found)
        if folded.count():
            folded.locator("summary").first.click()
        return found

    def fill_in(self, action: str, values: Mapping[str, str | Sequence[str]]) -> Locator:
        """Fills in fields of a form by their names, and returns the form. A list chooses boxes by their values."""
        form = self.form(action)
        for name, value in values.items():
            fields = form.locator(f"[name='{name}']:not([type=hidden])")
            if not isinstance(value, str):
                for each in value:
                    fields.and_(self.page.locator(f"[value='{each}']")).check()
            elif fields.first.evaluate("field => field.tagName") == "SELECT":
                fields.first.select_option(value)
            else:
                fields.first.fill(value)
        return form

    def send(self, action: str, values: Mapping[str, str | Sequence[str]] | None = None, button: str = BUTTONS) -> None:
        """Fills in a form, presses its first button, or another one, and checks the page that follows."""
        self.follow(self.fill_in(action, values or {}).locator(button).first)

    def fill(self, name: str, text: str) -> None:
        """Types into the field with this name in its form, or chooses there."""
        where = self.page.locator(f"main [name='{name}']").first
        kind = where.evaluate("element => element.type")
        if kind == "select-one":
            where.select_option(text)
        elif kind == "date":
            where.fill(text)
        else:
            where.fill("")
            where.press_sequentially(text, delay=self.pace)

    def sign_in(self, human: Somebody) -> None:
        """Signs in, with a code if the person has an authenticator."""
        self.open("/sign-in")
        self.fill("email", human.email)
        self.fill("password", human.password)
        self.follow(self.page.locator("main form button").first)
        if human.totp is not None:
            self.send("/sign-in/code", {"code": self.code_of(human)})

    def confirm(self, human: Somebody) -> None:
        """Confirms what stands on the page of confirmations, with a code."""
        self.send("/confirm", {"code": self.code_of(human)}, "button.first:not([type=button])")

    def text(self) -> str:
        """The text of the page."""
        return self.page.locator("main").inner_text()
