"""A question and a command of certificates: alone, one after another, and fifty at once, each beside its floor.

Question: `GetCertificate` for an own draft. Command: `DraftCertificate` with one item. One replica of certificates runs as in
the embedded run: SQLite, tracing to a file, nkeys, a bus without TLS. The floor (`bench.floors.requests`) runs on a second
bus with the same configuration. The same client with the same prepared bodies sends to both; a refusal ends the measure.

`question` and `command` are the median milliseconds of one request alone. `question_at_once` and `command_at_once` are answers
per second. Details of these: milliseconds of a processor for one request in the service, and the 99th percentile.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, TypeVar
from uuid import uuid4

from joserfc.jwk import OKPKey
from sqlalchemy import insert, make_url

from bench.figures import Conditions, Figure, middle
from bench.processes import a_floor, cpu_ms
from bench.raw_client import USER, RawClient, Replies, a_raw_client
from cli.demo.examples import all_examples
from deploy.embedded.layout import free_ports
from deploy.embedded.stack import Stack
from shared.bus.client import BusClient
from shared.contracts.certificates.issuing import DraftCertificate, GetCertificate
from shared.contracts.certificates.products import ApproveProduct, RegisterProduct
from shared.contracts.roles import Role
from shared.database.engine import Database
from shared.database.migrations.schema import migrate
from shared.database.tables import signing_keys
from shared.handling.actor import Actor
from shared.security.tokens import public_jwk, sign_token
from tests.support.bus import a_bus

T = TypeVar("T")

FIGURES = ("question", "question_at_once", "command", "command_at_once")

SERVICE = "certificates"
AT_ONCE = 50
TOKEN_LASTS = timedelta(hours=2)
MOST = {"question": 40_000, "command": 2_000}
"""The most requests at once in a round. So few commands because the floor fills its database, and the disk, far sooner."""


class Exporter:
    """An exporter with an approved product, its token and the bodies of its requests."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self.exporter_id = uuid4()
        self.token = self._token_of(str(self.exporter_id), Role.PREPARER, Role.SIGNATORY)
        self._example = min(all_examples(), key=lambda each: len(each.products(self.exporter_id)))
        self.products: list[RegisterProduct] = self._example.products(self.exporter_id)
        consignment = self._example.consignment(self.products, date.today())
        self._draft = DraftCertificate(certificate_id=uuid4(), exporter_id=self.exporter_id, consignment=consignment)

    def _token_of(self, organisation: str, *roles: Role) -> str:
        actor = Actor(user_id=uuid4(), session_id=uuid4(), organisation=organisation, roles=frozenset(roles))
        return sign_token(self._key, actor, audience="KH", now=datetime.now(UTC), lasts=TOKEN_LASTS)

    async def register_products(self, bus: BusClient) -> None:
        """Registers the products, and a reviewer approves them."""
        reviewer = self._token_of("PNH", Role.REVIEWER)
        for product in self.products:
            await bus.ask(product, token=self.token)
            await bus.ask(ApproveProduct(product_id=product.product_id), token=reviewer)

    @property
    def findings(self) -> dict[str, Any]:
        """What a certificate repeats of each product, for the floor."""
        names = {"description", "criterion", "handicraft"}
        return {str(each.product_id): each.model_dump(mode="json", include=names) for each in self.products}

    def drafts(self, count: int) -> tuple[list[str], list[bytes]]:
        """The ids of new certificates, and the bodies of the commands that draft them."""
        body = self._draft.model_dump_json()
        ids = [str(uuid4()) for _ in range(count)]
        own = str(self._draft.certificate_id), str(self._draft.command_id)
        return ids, [body.replace(own[0], each).replace(own[1], str(uuid4())).encode() for each in ids]


@dataclass
class Side:
    """The product or the floor: its client, its process, and the bodies of questions for what it has stored."""

    client: RawClient
    pid: int
    exporter: Exporter
    questions: list[bytes]

    @classmethod
    async def prepared(cls, client: RawClient, pid: int, exporter: Exporter, count: int) -> "Side":
        """Drafts `count` certificates and asks for each, before the first measured request."""
        ids, bodies = exporter.drafts(count)
        await client.run(DraftCertificate.subject, bodies, AT_ONCE)
        form = GetCertificate(certificate_id=uuid4())
        text = form.model_dump_json()
        questions = [text.replace(str(form.certificate_id), each).encode() for each in ids]
        await client.run(GetCertificate.subject, questions, AT_ONCE)
        return cls(client, pid, exporter, questions)

    async def alone(self, what: str, count: int) -> Replies:
        """Sends `count` requests one after another."""
        return await self.client.run(_subject(what), self._bodies(what, count), 1)

    async def at_once(self, what: str, seconds: float) -> tuple[Replies, float]:
        """Keeps 50 requests under way for some seconds. Also returns the CPU milliseconds of each in the service."""
        bodies = self._bodies(what, MOST[what])
        before = cpu_ms(self.pid)
        replies = await self.client.run(_subject(what), bodies, AT_ONCE, seconds)
        return replies, (cpu_ms(self.pid) - before) / len(replies.seconds)

    def _bodies(self, what: str, count: int) -> list[bytes]:
        return self.exporter.drafts(count)[1] if what == "command" else list(islice(cycle(self.questions), count))


def _subject(what: str) -> str:
    return DraftCertificate.subject if what == "command" else GetCertificate.subject


async def measure(conditions: Conditions) -> list[Figure]:
    """Measures both requests, product and floor in turn."""
    async with two_sides(conditions.folder, conditions.at_most(200, 60)) as (product, floor):
        return [figure for what in ("question", "command") for figure in await _figures(what, product, floor, conditions)]


async def _figures(what: str, product: Side, floor: Side, conditions: Conditions) -> list[Figure]:
    count, seconds = conditions.at_most(300, 30), conditions.at_most(4, 1)
    alone, at_once = [], []
    for _ in range(conditions.rounds):
        alone.append((await product.alone(what, count), await floor.alone(what, count)))
        at_once.append((await product.at_once(what, seconds), await floor.at_once(what, seconds)))
    return [
        middle(what, "ms", [(ours.median_ms, raw.median_ms) for ours, raw in alone], p99_ms=_each(alone, _p99)),
        middle(
            f"{what}_at_once",
            "1/s",
            [(ours[0].per_second, raw[0].per_second) for ours, raw in at_once],
            cpu_ms=_each(at_once, lambda side: side[1]),
            p99_ms=_each(at_once, lambda side: _p99(side[0])),
        ),
    ]


def _p99(replies: Replies) -> float:
    return replies.p99_ms


def _each(pairs: list[tuple[T, T]], value: Callable[[T], float]) -> dict[str, float]:
    """The median of a value of each side."""
    return {side: round(median(value(pair[index]) for pair in pairs), 3) for index, side in enumerate(("product", "floor"))}


@asynccontextmanager
async def two_sides(folder: Path, stored: int) -> AsyncIterator[tuple[Side, Side]]:
    """The product and the floor, each with `stored` certificates."""
    async with AsyncExitStack() as closing:
        start = closing.enter_async_context
        stack = await start(Stack(folder / "product", services=(SERVICE,), partners=(), ports=free_ports))
        bus = await start(a_bus(folder / "floor"))
        url = make_url(stack.database_url(SERVICE))
        key = OKPKey.import_key(json.loads(stack.secrets.registry_signing_key.read_text()))
        await _publish_key(Database(url), key)
        exporter = Exporter(key)
        await exporter.register_products(await start(await BusClient.connect(USER, stack.nats_url, stack.seed(USER))))

        database = bus.root / "floor.db"
        await asyncio.to_thread(migrate, SERVICE, url.set(database=str(database)))
        given = {
            "url": bus.url,
            "seed_file": str(bus.seed_file(SERVICE)),
            "database": str(database),
            "token_key": key.as_dict(private=False)["x"],
            "products": exporter.findings,
        }
        floor = await start(a_floor("requests", given))
        ours = await start(a_raw_client(stack.nats_url, stack.seed(USER), exporter.token))
        raw = await start(a_raw_client(bus.url, bus.seed_file(USER).read_text(), exporter.token))
        yield (
            await Side.prepared(ours, stack.processes[SERVICE].pid or 0, exporter, stored),
            await Side.prepared(raw, floor, exporter, stored),
        )


async def _publish_key(database: Database, key: OKPKey) -> None:
    """Stores the key that verifies tokens, as the event of registry would."""
    now = datetime.now(UTC)
    validity = {"not_before": now - timedelta(hours=1), "not_after": now + timedelta(days=1)}
    try:
        async with database.writing() as transaction:
            row = {"key_id": key.thumbprint(), "public_key": public_jwk(key)} | validity
            await transaction.session.execute(insert(signing_keys).values(row))
    finally:
        await database.close()
