"""What every test may use: patience, a bus, and databases of both kinds."""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from inspect import isawaitable
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import hypothesis
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import make_url

from bench.plans import Recorder, growing
from shared.database.migrations.schema import migrate
from tests.support.bus import Bus, a_bus
from tests.support.postgres import NoPostgres, Postgres
from tests.support.workers import Together, group_of

hypothesis.settings.register_profile("co", deadline=None)  # machines are shared: no test depends on their speed
hypothesis.settings.load_profile("co")

_statements = Recorder()
_statements.listen()
_spans = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())  # before any replica sets its own: the first one stays for the whole run
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(_spans))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make prove`: what is tried on a few certificates in every run is tried on thousands."""
    parser.addoption("--guides", action="store_true", help="keep the pictures and videos of the guides and the tour")
    parser.addoption("--full-scale", action="store_true", help="prove on thousands of certificates what is tested on a few")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """Tests that share a system stay on one worker."""
    config.option.loadscopereorder = False
    return Together(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Among several workers the longest work begins first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: group_of(item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A worker cannot send a surrogate, which a test of strange messages prints."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was skipped is said aloud, with what it takes to run it."""
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []))  # type: ignore[index]
    for reason, times in reasons.items():
        terminalreporter.write_line(f"{times} tests were skipped: {reason.removeprefix('Skipped: ')}")


async def eventually(check: Callable[[], Awaitable[Any] | Any], within: float = 30.0) -> Any:
    """Waits until the check gives something true, and returns it; an AssertionError in it counts as not yet."""
    until = monotonic() + within
    while True:
        said = "it stayed false"
        try:
            found = check()
            if isawaitable(found):
                found = await found
            if found:
                return found
        except AssertionError as error:
            said = str(error)
        if monotonic() > until:
            raise AssertionError(f"not within {within} s: {said}")
        await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def statements_read_no_more_the_more_is_stored() -> Iterator[None]:
    """Every statement of the product that a test sends to SQLite for the first time reads by an index, or has a reason."""
    before = set(_statements.planned)
    yield
    new = [planned for statement, planned in _statements.planned.items() if statement not in before]
    assert [f"{each.place}: {each.statement}\n{each.plan}" for each in growing(new)] == []


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """The spans that end in this test."""
    _spans.clear()
    return _spans


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    """A nats-server with the accounts, users, stream and consumers of a country, all its own."""
    async with a_bus(tmp_path / "bus") as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL of this run: required together with containers, else skipped aloud."""
    if os.environ.get("CO_CONTAINERS") != "required":
        pytest.skip("on PostgreSQL with `make test CONTAINERS=required`")
    try:
        server = Postgres()
    except NoPostgres as reason:
        pytest.fail(f"PostgreSQL is required: {reason}")
    yield server
    server.remove()


class Databases:
    """Makes databases of one kind: empty ones, and ones with the schema of a service."""

    def __init__(self, dialect: str, folder: Path, postgres: Postgres | None) -> None:
        self.dialect = dialect
        self._folder = folder
        self._postgres = postgres
        self._templates: dict[str, str] = {}
        self._numbers = count()

    def empty(self) -> str:
        """The address of a database with nothing in it."""
        return self._copy(None)

    def of(self, service: str) -> str:
        """The address of a database that `migrate` has prepared for a service."""
        if service not in self._templates:
            url = self._copy(None)
            with ThreadPoolExecutor(1) as thread:  # `migrate` needs a thread without a running loop
                thread.submit(migrate, service, make_url(url)).result()
            self._templates[service] = url
        return self._copy(self._templates[service])

    def _copy(self, template: str | None) -> str:
        name = make_url(template).database if template else None
        if self._postgres:
            return self._postgres.url(self._postgres.new_database(name or "template0"))
        path = self._folder / f"{next(self._numbers)}.sqlite"
        if name:
            shutil.copy(name, path)
        else:
            path.touch()
        return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """SQLite only, for what does not depend on the database."""
    return Databases("sqlite", tmp_path_factory.mktemp("sqlite"), None)


@pytest.fixture(scope="session")
def postgres_databases(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """PostgreSQL only, for what SQLite cannot do."""
    return Databases("postgresql", tmp_path_factory.mktemp("postgresql"), postgres)


@pytest.fixture(scope="session", params=["sqlite_databases", "postgres_databases"], ids=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Databases of both kinds: a test that takes this runs twice."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def database_url(databases: Databases) -> str:
    """The address of an empty database, on SQLite and on PostgreSQL."""
    return databases.empty()
