"""The smallest service, `examples/notices`: its README tells all that it takes, and with that it works on a real bus."""

import asyncio
import json
import re
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import nkeys
import pytest
from joserfc.jwk import OKPKey

from deploy.embedded.layout import Layout
from shared.bus.client import AskRefused, BusClient
from shared.bus.connection import Client, connect
from shared.bus.stream import STREAM, JetStream, messages_in_stream
from shared.contracts import operations
from shared.contracts.audit_log import FindActs
from shared.contracts.registry.identity import SigningKeyPublished
from shared.contracts.roles import Role
from shared.handling.actor import Actor
from shared.security.event_signatures import EventSigner
from shared.security.tokens import public_jwk, sign_token
from tests.conftest import eventually
from tests.support.ports import free_ports

ROOT = Path(__file__).parents[3]
NOTICES = ROOT / "examples" / "notices"
CONTRACTS, REFUSALS = "contracts.py", "refusals.*.json"
SECONDS = 60

GENERATE_AND_RUN = """
import asyncio, json, runpy, sys
from pathlib import Path

for module in ("shared.contracts.asyncapi", "shared.contracts.permissions", "deploy.nats.permissions"):
    runpy.run_module(module, run_name="__main__")

from deploy.embedded.stack import Stack

async def main():
    ports = json.loads(sys.argv[1])
    async with Stack(Path("var"), services=("notices",), partners=(), ports=lambda names: ports):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""

RESTORE = """
import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import make_url

from services.notices.handlers import router
from services.notices.store import notice_of
from shared.clock import Clock
from shared.contracts.notices import NoticePosted
from shared.database.engine import Database
from shared.database.migrations.schema import migrate
from shared.handling.work import ServiceContext
from shared.settings import Settings

URL = make_url("sqlite:///restored.sqlite")

async def main():
    context = ServiceContext("notices", Database(URL), Clock(Settings.model_fields["zone"].default), None)
    event = NoticePosted(version=1, occurred_at=datetime.now(UTC), notice_id=uuid4(), office="PNH", text="Closed.")
    for _ in range(2):
        async with context.work(INVALID_SPAN) as work:
            await router.replay[NoticePosted](event, work)
    async with context.reading(INVALID_SPAN) as work:
        restored = await notice_of(work, event.notice_id)
    await context.close()
    assert restored.model_dump() == event.model_dump(include={"notice_id", "office", "text"})

migrate("notices", URL)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository to which the service was added, by the steps of its README."""
    folder = tmp_path_factory.mktemp("repository")
    for part in ("shared", "deploy"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / "docs").mkdir()
    shutil.copytree(NOTICES, folder / "services" / "notices", ignore=shutil.ignore_patterns(CONTRACTS, REFUSALS))
    (folder / "services" / "__init__.py").touch()
    shutil.copy(NOTICES / CONTRACTS, folder / "shared" / "contracts" / "notices.py")
    for lines in NOTICES.glob(REFUSALS):
        sentences = folder / "shared" / "data" / lines.name
        sentences.write_text(json.dumps(json.loads(sentences.read_text()) | json.loads(lines.read_text())))
    add_the_name(folder / "shared" / "contracts" / "index.py")
    return folder


def add_the_name(index: Path) -> None:
    """Changes the index of the contracts as the README shows it."""
    before, after = re.findall(r"^ *[-+](SERVICES = .*)$", (NOTICES / "README.md").read_text(), re.MULTILINE)
    text = index.read_text()
    assert text.count(before) == 1, "the README shows another line than the index of the contracts has"
    index.write_text(text.replace(before, after))


def its_contracts() -> ModuleType:
    spec = spec_from_file_location("shared.contracts.notices", NOTICES / CONTRACTS)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def running(repository: Path) -> AsyncIterator[Layout]:
    """The bus and the service, started from the copy of the repository."""
    ports = json.dumps(free_ports(("nats", "nats-monitor", "customs", "notices")))
    command = (sys.executable, "-c", GENERATE_AND_RUN, ports)
    process = await asyncio.create_subprocess_exec(*command, cwd=repository, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stdout
    try:
        line = await asyncio.wait_for(process.stdout.readline(), SECONDS)
        assert line == b"ready\n", (await process.communicate())[1].decode()
        yield Layout.of_running(repository / "var")
    finally:
        await asyncio.wait_for(process.communicate(b"\n"), SECONDS)


def a_person(role: Role) -> Actor:
    return Actor(user_id=uuid4(), session_id=uuid4(), organisation="PNH", roles=frozenset({role}))


@pytest.mark.slow
async def test_it_answers_announces_and_is_audited(repository: Path) -> None:
    contracts, key = its_contracts(), OKPKey.generate_key("Ed25519")

    def token(role: Role) -> str:
        return sign_token(key, a_person(role), audience="KH", now=datetime.now(UTC), lasts=timedelta(minutes=5))

    async with running(repository) as layout, as_user("operator", layout) as bus, as_user("portal", layout) as client:
        portal, operator, stream = BusClient(client, patience=5), BusClient(bus, patience=5), bus.jetstream()
        await publish_key(key, layout, stream)
        command = contracts.PostNotice(office="PNH", text="Closed on Friday.")

        posted = await portal.ask(command, token=token(Role.ADMINISTRATOR))
        read = await portal.ask(contracts.GetNotice(notice_id=posted.notice_id), token=token(Role.PREPARER))
        assert posted == read == contracts.NoticeState(notice_id=posted.notice_id, office="PNH", text="Closed on Friday.")

        with pytest.raises(AskRefused, match=r"^role_required: "):
            await portal.ask(command, token=token(Role.REVIEWER))
        with pytest.raises(AskRefused, match=r"^notice_not_found: There is no such notice\.$"):
            await portal.ask(contracts.GetNotice(notice_id=uuid4()), token=token(Role.AUDITOR))

        assert (await operator.ask(operations.Reannounce(noun="notice"), service="notices")).announced == 1
        first, second = await eventually(lambda: events_of(contracts.NoticePosted, bus), within=10)
        assert (first.notice_id, first.office, first.text, first.version) == (posted.notice_id, "PNH", "Closed on Friday.", 1)
        assert second == first.model_copy(update={"occurred_at": second.occurred_at})

        (fact,) = (await operator.ask(operations.AskDigest(facts=("posted",)), service="notices")).facts
        assert fact.count == 1
        entries = (await operator.ask(FindActs(), service="notices")).acts
        assert [(entry.act, entry.on_id, entry.outcome) for entry in reversed(entries)] == [
            ("PostNotice", str(posted.notice_id), "done"),
            ("PostNotice", None, "role_required"),
            ("Reannounce", None, "done"),
        ]
    assert "| `PostNotice` |" in (repository / "docs" / "permissions.md").read_text()


async def test_a_notice_that_the_database_has_lost_is_restored_from_its_event(repository: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", RESTORE, cwd=repository, stderr=PIPE)
    _, error = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0, error.decode()


@asynccontextmanager
async def as_user(user: str, layout: Layout) -> AsyncIterator[Client]:
    client = await connect(user, layout.nats_url, layout.seed(user))
    try:
        yield client
    finally:
        await client.close()


async def publish_key(key: OKPKey, layout: Layout, stream: JetStream) -> None:
    """Announces a signing key in the place of registry, and waits until the service has stored it."""
    layout.secrets.write_event_keys(layout.country, ("registry", "notices"))
    now = datetime.now(UTC)
    event = SigningKeyPublished(
        version=1,
        occurred_at=now,
        key_id=key.thumbprint(),
        public_key=public_jwk(key),
        not_before=now,
        not_after=now + timedelta(days=1),
    )
    body = event.model_dump_json().encode()
    headers = EventSigner(nkeys.from_seed(layout.seed("registry").encode())).headers(event.subject, uuid4(), body)
    async with as_user("registry", layout) as registry:
        published = await registry.jetstream().publish(event.subject, body, headers=headers)

    async def is_stored() -> bool:
        acknowledged = (await stream.consumer_info(STREAM, "notices")).ack_floor
        return acknowledged is not None and acknowledged.stream_seq >= published.seq

    await eventually(is_stored, within=10)


async def events_of(kind: Any, operator: Client) -> list[Any]:
    """Both events of a class, when the stream has them."""
    found = [message async for message in messages_in_stream(operator) if message.subject == kind.subject]
    return [kind.model_validate_json(message.data) for message in found] if len(found) == 2 else []
