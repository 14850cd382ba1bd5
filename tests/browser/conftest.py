"""A real browser, Debian's Chromium: required with `make test CONTAINERS=required`, else the tests are skipped."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import playwright
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import tour
from tests.browser.demo import Demo, a_demo
from tests.browser.reader import PAGES, Reader
from tests.browser.site import LiveSite, a_live_site

KHMER_ON_A_PHONE, ENGLISH_AT_A_DESK = "Khmer on a phone, dark", "English at a desk, light"
PersonOf = Callable[[], Reader]
WAITS = 20_000
"""Milliseconds that a person waits for a page, or for something on it."""
expect.set_options(timeout=WAITS)
PHONE, DESK = {"width": 360, "height": 780}, {"width": 1440, "height": 900}


def program(name: str) -> str:
    """The path of a program that these tests need."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is required, and it is not here: apt-get install {name}")
    return found


@pytest.fixture(scope="session")
def keeps_guides(pytestconfig: pytest.Config) -> bool:
    """Whether `make guides` runs: pictures and videos are kept."""
    return bool(pytestconfig.getoption("--guides"))


@pytest.fixture(scope="session")
def chromium(keeps_guides: bool, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """The browser of this run."""
    if os.environ.get("CO_CONTAINERS") != "required" and not keeps_guides:
        pytest.skip("in a real browser with `make test CONTAINERS=required`")
    if keeps_guides:
        _offer_ffmpeg(tmp_path_factory.mktemp("playwright"))
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()
    if keeps_guides and PAGES and not request.config.getoption("keyword"):  # a part of the tests does not measure every page
        tour.write(PAGES)


def _offer_ffmpeg(folder: Path) -> None:
    """Playwright records videos with the ffmpeg in a folder of its own; it gets Debian's."""
    listed = json.loads((Path(playwright.__file__).parent / "driver/package/browsers.json").read_text())
    revision = next(each["revision"] for each in listed["browsers"] if each["name"] == "ffmpeg")
    (folder / f"ffmpeg-{revision}").mkdir()
    (folder / f"ffmpeg-{revision}" / "ffmpeg-linux").symlink_to(program("ffmpeg"))
    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = str(folder)


@pytest.fixture(scope="session")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A running portal, and the public site."""
    with a_live_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="session")
def demo(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, with its people and certificates."""
    with a_demo(tmp_path_factory.mktemp("demo") / "root") as running:
        yield running


@pytest.fixture
def readers(chromium: Browser) -> Iterator[Any]:
    """Makes people in front of browsers, on a site or the demo. At the end no page may have had a problem."""
    made: list[Reader] = []

    def make(where: LiveSite | Demo, language: str = "en", viewport: dict[str, int] = DESK, **options: Any) -> Reader:
        context = chromium.new_context(locale=language, viewport=viewport, **options)  # type: ignore[arg-type]
        context.set_default_timeout(WAITS)
        made.append(Reader(context.new_page(), where.address, where.public, language, where.code_of))
        return made[-1]

    yield make
    for each in made:
        each.page.context.close()
    assert [problem for each in made for problem in each.problems] == []


@pytest.fixture
def reader(readers: Any, site: LiveSite) -> Any:
    """Makes people in front of browsers: `reader(language="km", viewport=PHONE)`."""
    return lambda *given, **options: readers(site, *given, **options)


@pytest.fixture(params=[KHMER_ON_A_PHONE, ENGLISH_AT_A_DESK])
def person_of(request: pytest.FixtureRequest, reader: Any) -> PersonOf:
    """Makes people who read Khmer on a phone in the dark; then, in a second run of the test, English at a desk."""
    if request.param == KHMER_ON_A_PHONE:
        return partial(reader, "km", PHONE, color_scheme="dark")
    return partial(reader, "en", DESK)
