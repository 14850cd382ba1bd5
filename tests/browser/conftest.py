"""A real browser, Debian's Chromium: required with `make test CONTAINERS=required`, else the tests are skipped."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.reader import Reader
from tests.browser.site import LiveSite, a_live_site

KHMER_ON_A_PHONE, ENGLISH_AT_A_DESK = "Khmer on a phone, dark", "English at a desk, light"
PersonOf = Callable[[], Reader]
WAITS = 15_000
"""Milliseconds that a person waits for a page, or for something on it."""
expect.set_options(timeout=WAITS)
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


@pytest.fixture(scope="session")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A running portal, and the public site."""
    with a_live_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def reader(chromium: Browser, site: LiveSite) -> Iterator[Any]:
    """Makes people in front of browsers: `reader(language="km", viewport=PHONE)`. At the end no page may have had a problem."""
    made: list[Reader] = []

    def make(language: str = "en", viewport: dict[str, int] = DESK, **options: Any) -> Reader:
        context = chromium.new_context(locale=language, viewport=viewport, **options)  # type: ignore[arg-type]
        context.set_default_timeout(WAITS)
        made.append(Reader(context.new_page(), site.address, site.public, language, site.code_of))
        return made[-1]

    yield make
    for each in made:
        each.page.context.close()
    assert [problem for each in made for problem in each.problems] == []


@pytest.fixture(params=[KHMER_ON_A_PHONE, ENGLISH_AT_A_DESK])
def person_of(request: pytest.FixtureRequest, reader: Any) -> PersonOf:
    """Makes people who read Khmer on a phone in the dark; then, in a second run of the test, English at a desk."""
    if request.param == KHMER_ON_A_PHONE:
        return partial(reader, "km", PHONE, color_scheme="dark")
    return partial(reader, "en", DESK)
