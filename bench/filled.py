"""The four services on filled databases, and one way to send each request, page and task."""

import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from faststream.nats import NatsMessage
from opentelemetry.trace import INVALID_SPAN

from bench.filler import fill
from bench.in_process import KINDS, InProcess, in_process, new_databases
from services.tracking.routes import routes
from shared.bus.connection import TOKEN_HEADER
from shared.contracts.messages import Request
from shared.database.paging import _written
from shared.handling.actor import Actor
from shared.handling.task import Task
from shared.runtime.http_server import application
from shared.security.tokens import Tokens
from shared.workers.requests import RequestHandler
from tests.support.service_under_test import ServiceUnderTest, a_person

SAMPLE = 200
"""Certificates that the requests are about, in turn: chosen at random from all."""


class Refused(Exception):
    """A request or a page was refused."""


@dataclass
class Connected:
    """One service, with its handlers and the tokens of people made before."""

    service: ServiceUnderTest
    _handlers: dict[type[Request], RequestHandler] = field(default_factory=dict)
    _headers: dict[Actor | None, dict[str, str]] = field(default_factory=lambda: {None: {}})

    def __post_init__(self) -> None:
        self._tokens = Tokens("KH")

    async def send(self, request: Request, person: Actor | None = None) -> bytes:
        """Sends a request as the bus hands it over; returns the envelope of the answer. Raises Refused."""
        kind = type(request)
        if kind not in self._handlers:
            self._handlers[kind] = RequestHandler(kind, self.service.router.requests[kind], self.service.context, self._tokens)
        if person not in self._headers:
            assert person is not None
            self._headers[person] = {TOKEN_HEADER: self.service.token_of(person, lasts=timedelta(days=400))}
        message = NatsMessage(
            raw_message=None,  # type: ignore[arg-type]
            body=request.model_dump_json().encode(),
            headers=self._headers[person],
        )
        envelope = await self._handlers[kind].envelope(message)
        if not envelope.startswith(b'{"answer"'):
            raise Refused(f"{kind.__name__}: {envelope[:300].decode()}")
        return envelope

    async def do(self, task: Task) -> None:
        """Runs a task, and again while it asks for more."""
        async with self.service.context.work(INVALID_SPAN) as work:
            work.later(task, key="bench")
        await self.service.do_tasks()


@dataclass
class Filled:
    """The services with so many certificates, and a sample of what they contain."""

    count: int
    running: InProcess
    services: Mapping[str, Connected]
    certificates: list[sqlite3.Row]
    products: list[sqlite3.Row]
    largest: UUID
    """The company with the most certificates."""
    last_page: str
    """The cursor before the last certificates of all."""
    last_page_of_largest: str
    last_invoices: str

    def __post_init__(self) -> None:
        self._people: dict[UUID, Actor] = {}
        self._application: Any = application(self.services["tracking"].service.context, routes)

    def person(self, company: str | UUID) -> Actor:
        """A person of a company, always the same one."""
        key = UUID(str(company))
        return self._people.setdefault(key, a_person("preparer", "signatory", organisation=key))

    async def page(self, path: str) -> None:
        """Requests a page of the public site, without HTTP. Raises Refused."""
        name, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": name,
            "raw_path": name.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "http",
            "headers": [(b"accept", b"text/html"), (b"accept-language", b"en")],
            "client": (f"10.0.{random.randrange(256)}.{random.randrange(256)}", 1),
            "server": ("127.0.0.1", 80),
        }
        await self._application(scope, _nothing, _must_be_found)


@asynccontextmanager
async def filled(folder: Path, count: int, lives: Mapping[str, Path], now: datetime) -> AsyncIterator[Filled]:
    """The services on copies of the databases `lives`, filled with more certificates. `now`: when the last life ended."""
    files = _copied(lives, folder)
    fill(files, count, now)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(in_process(folder, files))
        running.at(now + timedelta(hours=1))
        services = {name: Connected(service) for name, service in running.services.items()}
        yield Filled(count, running, services, **sampled(files))


async def lives_in(folder: Path) -> tuple[dict[str, Path], datetime]:
    """New databases in a folder with one life of each kind, and when the last one ended."""
    files = new_databases(folder)
    async with in_process(folder, files) as running:
        await running.begin()
        for kind in KINDS:
            await running.live(kind)
        return files, running.services["certificates"].clock.instant


def _copied(files: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    folder.mkdir()
    return {name: Path(shutil.copy(file, folder / file.name)) for name, file in files.items()}


def sampled(files: Mapping[str, Path]) -> dict[str, Any]:
    """What requests are about."""
    with closing(sqlite3.connect(files["certificates"])) as certificates, closing(sqlite3.connect(files["fees"])) as fees:
        certificates.row_factory = fees.row_factory = sqlite3.Row
        ids = [row[0] for row in certificates.execute("SELECT certificate_id FROM certificates WHERE reference IS NOT NULL")]
        chosen = random.Random(7).sample(ids, min(SAMPLE, len(ids)))
        names = "certificate_id, exporter_id, reference"
        wanted = f"SELECT {names} FROM certificates WHERE certificate_id IN ({', '.join('?' * len(chosen))})"
        largest = "SELECT exporter_id FROM certificates GROUP BY exporter_id ORDER BY count(*) DESC LIMIT 1"
        (company,) = certificates.execute(largest).fetchone()
        oldest = "SELECT drafted_at, certificate_id FROM certificates {} ORDER BY drafted_at, certificate_id LIMIT 1 OFFSET 10"
        first_invoice = (
            "SELECT assessed_at, certificate_id FROM invoices ORDER BY assessed_at, certificate_id LIMIT 1 OFFSET 10"
        )
        return {
            "certificates": certificates.execute(wanted, chosen).fetchall(),
            "products": certificates.execute("SELECT exporter_id, product_id FROM products LIMIT 50").fetchall(),
            "largest": UUID(company),
            "last_page": _cursor(certificates.execute(oldest.format("")).fetchone()),
            "last_page_of_largest": _cursor(certificates.execute(oldest.format(f"WHERE exporter_id = '{company}'")).fetchone()),
            "last_invoices": _cursor(fees.execute(first_invoice).fetchone()),
        }


def _cursor(row: sqlite3.Row) -> str:
    return _written([datetime.fromisoformat(row[0]), UUID(row[1])])


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _must_be_found(message: dict[str, Any]) -> None:
    if message["type"] == "http.response.start" and message["status"] != 200:
        raise Refused(f"a page has the status {message['status']}")
