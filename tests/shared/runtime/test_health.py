"""What a replica says of itself over HTTP, and how it starts and stops."""

import asyncio
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.trace import INVALID_SPAN

from deploy.nats.stream import set_up_bus
from shared.bus.client import AskRefused, NobodyAnswers
from tests.conftest import eventually
from tests.support.plumbing_stack import Chore, PlumbingStack, Running, a_payment, a_router, a_submission
from tests.support.ports import free_port
from tests.support.postgres import Postgres

ROOT = Path(__file__).parents[3]


async def get(running: Running, path: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=4) as client:
        return await client.get(running.address + path)


async def is_ready(running: Running) -> bool:
    return (await get(running, "/ready")).status_code == 200


async def test_a_replica_that_can_work_is_live_and_ready(sqlite_stack: PlumbingStack) -> None:
    running = await sqlite_stack.replica()

    assert (await get(running, "/live")).json() == {"live": True}
    ready = await get(running, "/ready")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "recovering": False, "problems": []})


async def test_the_metrics_can_be_read(sqlite_stack: PlumbingStack) -> None:
    running = await sqlite_stack.replica()
    await sqlite_stack.publish(a_submission())

    async def counted() -> bool:
        said = (await get(running, "/metrics")).text
        assert 'co_events_total{outcome="done",subject="evt.certificate.submitted.v1"}' in said
        return True

    await eventually(counted)
    said = (await get(running, "/metrics")).text
    assert 'co_waiting{what="dead_letters"} 0.0' in said
    assert 'co_oldest_seconds{what="outbox"} 0.0' in said
    assert 'co_waiting{what="events"} 0.0' in said
    assert "co_ready 1.0" in said
    assert 86_000 < float(re.findall(r"^co_token_keys_end_seconds (.+)$", said, re.M)[0]) <= 86_400


async def test_while_the_database_is_away_a_replica_lives_and_says_why_it_is_not_ready(
    postgres_house: PlumbingStack, postgres: Postgres
) -> None:
    running = await postgres_house.replica()
    with postgres.away():
        assert (await get(running, "/live")).status_code == 200
        ready = await get(running, "/ready")
        metrics = await get(running, "/metrics")

    assert ready.status_code == 503
    assert ready.json()["problems"] == ["the database does not answer (ConnectionRefusedError)"]
    assert metrics.status_code == 200
    assert "co_requests_total" in metrics.text
    assert "co_ready 0.0" in metrics.text
    await eventually(lambda: is_ready(running))


async def test_a_replica_that_is_busy_writing_says_at_once_that_it_is_ready(stack: PlumbingStack) -> None:
    running = await stack.replica()

    async with running.replica.context.work(INVALID_SPAN), asyncio.timeout(4):
        assert await is_ready(running)


@pytest.mark.slow
async def test_while_the_bus_is_away_a_replica_says_so_and_recovers(sqlite_stack: PlumbingStack) -> None:
    running = await sqlite_stack.replica()
    await sqlite_stack.bus.kill()
    ready = await get(running, "/ready")

    assert ready.status_code == 503
    assert ready.json()["problems"] == ["the bus does not answer"]
    await sqlite_stack.bus.start()
    await eventually(lambda: is_ready(running), within=8)


async def test_a_replica_that_starts_before_its_database_waits_for_it(
    postgres_house: PlumbingStack, postgres: Postgres
) -> None:
    with postgres.away():
        running = await postgres_house.replica(ready=False)
        ready = await eventually(lambda: _said(running, "database"))
        assert ready.status_code == 503

    await eventually(lambda: is_ready(running), within=8)


async def _said(running: Running, word: str) -> httpx.Response | None:
    try:
        ready = await get(running, "/ready")
    except httpx.ConnectError:
        return None
    return ready if word in ready.text else None


async def test_a_replica_that_starts_before_its_bus_waits_for_it(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.bus.kill()
    running = await sqlite_stack.replica(ready=False)
    ready = await eventually(lambda: _said(running, "bus"))
    assert ready.status_code == 503

    await sqlite_stack.bus.start()

    await eventually(lambda: is_ready(running), within=8)


async def test_a_replica_that_finds_no_consumer_waits_until_the_bus_is_set_up(sqlite_stack: PlumbingStack) -> None:
    jetstream = (await sqlite_stack.client("operator")).jetstream()
    await jetstream.delete_consumer("EVENTS", "fees")
    running = await sqlite_stack.replica(ready=False)
    await eventually(lambda: _said(running, "co bus setup"))
    await set_up_bus(jetstream)

    await eventually(lambda: is_ready(running), within=8)
    await sqlite_stack.publish(a_submission())
    await eventually(sqlite_stack.effects)


@pytest.mark.parametrize("what", ["database", "bus"])
async def test_a_replica_that_still_waits_can_be_stopped(sqlite_stack: PlumbingStack, what: str) -> None:
    settings: dict[str, Any] = {"nats_url": f"nats://127.0.0.1:{free_port()}"}
    if what == "database":
        settings = {"database_url": "sqlite:////nowhere/x.sqlite"}
    running = await sqlite_stack.replica(ready=False, **settings)
    await eventually(lambda: _said(running, what))

    async with asyncio.timeout(10):
        await running.stop()
    await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() if "_start" in repr(task.get_coro())]
    assert left == []


async def test_a_replica_that_was_stopped_answers_nobody_and_leaves_nothing_open(sqlite_stack: PlumbingStack) -> None:
    before = set(asyncio.all_tasks())
    running = await sqlite_stack.replica()
    await running.stop()

    with pytest.raises((NobodyAnswers, AskRefused)):
        await (await sqlite_stack.asker(patience=0.3)).ask(a_payment(), token=sqlite_stack.token())
    with pytest.raises(httpx.ConnectError):
        await get(running, "/live")
    replicas = [task for task in set(asyncio.all_tasks()) - before if "shared/" in repr(task)]
    assert replicas == []


@pytest.mark.slow
async def test_a_stop_does_not_wait_for_ever_for_a_computation(sqlite_stack: PlumbingStack, tmp_path: Path) -> None:
    started = tmp_path / "started"

    async def heavy(task: Chore, work: Any) -> None:
        await work.in_process(_compute_long, started)

    running = await sqlite_stack.replica(a_router(tasks=[(Chore, heavy)]))
    running.replica._tasks.finish = _finish_at_once(running.replica._tasks.finish)  # type: ignore[method-assign]
    async with running.replica.context.work(INVALID_SPAN) as work:
        work.later(Chore(), key="1")
    await eventually(started.exists, within=30)

    await running.stop()
    assert not ended(started).exists()


def ended(started: Path) -> Path:
    return started.with_name("ended")


def _compute_long(started: Path) -> None:
    started.touch()
    time.sleep(6)
    ended(started).touch()


def _finish_at_once(finish: Any) -> Any:
    """The grace period, shortened."""
    return lambda within: finish(0.1)


@pytest.mark.slow
async def test_a_real_process_serves_and_ends_with_zero_on_sigterm(sqlite_stack: PlumbingStack, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "CO_DATABASE_URL": sqlite_stack.url,
        "CO_NATS_URL": sqlite_stack.bus.url,
        "CO_NATS_SEED_FILE": str(sqlite_stack.bus.seed_file("fees")),
        "CO_EVENT_KEYS_FILE": str(sqlite_stack.bus.event_keys_file),
        "CO_HTTP_PORT": str(port),
        "CO_SPANS_DIR": str(tmp_path / "spans"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.fees", cwd=ROOT, env=os.environ | environment, stdout=asyncio.subprocess.PIPE
    )
    running = Running(None, f"http://127.0.0.1:{port}", None)  # type: ignore[arg-type]

    async def ready() -> bool:
        try:
            return await is_ready(running)
        except httpx.ConnectError:
            return False

    await eventually(ready)
    await sqlite_stack.publish(a_submission())
    await eventually(lambda: _done(sqlite_stack))
    process.send_signal(signal.SIGTERM)
    said, _ = await asyncio.wait_for(process.communicate(), 10)

    assert process.returncode == 0
    assert '"message": "stopped"' in said.decode()
    (spans,) = (tmp_path / "spans").iterdir()
    assert '"name": "on CertificateSubmitted"' in spans.read_text()


async def _done(stack: PlumbingStack) -> bool:
    return await stack.unacknowledged() == 0


async def test_a_service_must_handle_exactly_what_it_may_hear(sqlite_stack: PlumbingStack) -> None:
    router = a_router()
    router.events.clear()

    with pytest.raises(ValueError, match="CertificateSubmitted"):
        await sqlite_stack.replica(router)
    assert await sqlite_stack.effects() == []
