"""Live certificates: an open page hears of a new step, and its stream ends when it must."""

import asyncio
import json
from typing import Any

import pytest

from services.tracking.live import Watching, known_until
from services.tracking.store import TrackedStep
from tests.conftest import eventually

from .conftest import A_JOURNEY, CERTIFICATE, NOON, REFERENCE, Tracking, a_step

EVENTS = f"/certificates/{REFERENCE}/events"


class Stream:
    """A browser that reads a stream, as ASGI: httpx waits for the end of an answer."""

    def __init__(self, tracking: Tracking, query: str = "", last: str | None = None) -> None:
        headers = [(b"last-event-id", last.encode())] if last else []
        self.status = 0
        self.text = ""
        self._left = asyncio.Event()
        scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0"}, "method": "GET", "path": EVENTS}
        scope |= {"query_string": query.encode(), "headers": headers, "client": ("203.0.113.7", 1), "server": ("x", 80)}
        self.task = asyncio.create_task(tracking.app({**scope, "scheme": "http", "root_path": ""}, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.text += message.get("body", b"").decode()

    def leave(self) -> None:
        self._left.set()

    @property
    def steps(self) -> list[str]:
        return [line.removeprefix("id: ") for line in self.text.splitlines() if line.startswith("id: ")]

    async def until(self, text: str) -> None:
        async def found() -> bool:
            return text in self.text

        await eventually(found, within=5)


@pytest.fixture
async def begun(tracking: Tracking) -> Tracking:
    await tracking.receive(*A_JOURNEY[:2])
    return tracking


async def test_a_new_step_is_sent_to_all_pages_that_watch_its_certificate(begun: Tracking) -> None:
    one, two = Stream(begun), Stream(begun)
    await one.until("retry:")
    await begun.receive(a_step("AS1", 1, reference="D2026-PNH-000999"), *A_JOURNEY[2:])
    for stream in (one, two):
        await stream.until("id: 1-REC")
        assert (stream.status, stream.steps) == (200, ["1-AS2", "1-REC"])
    data = [line.removeprefix("data: ") for line in one.text.splitlines() if line.startswith("data: ")]
    assert json.loads(data[0])["code"] == "AS2"
    assert json.loads(data[0])["at"] == "2026-03-02T05:02:07.123456Z"
    assert str(CERTIFICATE) not in one.text


async def test_a_page_gets_what_was_added_since_it_was_made(begun: Tracking) -> None:
    await begun.receive(*A_JOURNEY[2:])
    for stream in (Stream(begun, query="after=1-AS1"), Stream(begun, last="1-AS1")):
        await stream.until("id: 1-REC")
        assert stream.steps == ["1-AS2", "1-REC"]


async def test_a_quiet_stream_has_a_heartbeat(begun: Tracking) -> None:
    stream = Stream(begun)
    await stream.until(": still here")
    assert stream.steps == []


async def test_a_stream_ends_when_the_replica_stops(begun: Tracking) -> None:
    stream = Stream(begun)
    await stream.until("retry:")
    begun.context.stop()
    await asyncio.wait_for(stream.task, 2)


async def test_a_stream_ends_after_its_time(begun: Tracking) -> None:
    watching = Watching(interval=0.01, heartbeat=0.02, lifetime=0.05)
    async with asyncio.timeout(2):
        async for step in watching.steps(REFERENCE, {(1, "AS1")}, begun.context):
            assert step is None
    assert not watching._streams


async def test_an_address_has_at_most_five_streams_and_gets_one_back(begun: Tracking) -> None:
    streams = [Stream(begun) for _ in range(5)]
    for stream in streams:
        await stream.until("retry:")
    too_many = Stream(begun)
    await asyncio.wait_for(too_many.task, 2)
    assert (too_many.status, "at most 5" in too_many.text) == (429, True)
    streams[0].leave()
    await asyncio.wait_for(streams[0].task, 2)
    again = Stream(begun)
    await again.until("retry:")
    assert again.status == 200


@pytest.mark.parametrize("reference", ["D2026-PNH-999999", "no", "%F0%9F%92%A9"])
async def test_what_does_not_exist_is_not_watched(begun: Tracking, reference: str) -> None:
    answer = await begun.public.get(f"/certificates/{reference}/events")
    assert answer.status_code == 404
    assert answer.json()["code"] in ("certificate_not_found", "reference_malformed")


def test_a_page_knows_the_steps_until_the_one_that_it_names() -> None:
    steps = [
        TrackedStep(REFERENCE, number, code, CERTIFICATE, "VN", NOON, version)
        for number, code, version in ((1, "AS1", 1), (1, "NOT", 2), (2, "AS1", 1))
    ]
    assert known_until("1-NOT", steps) == {(1, "AS1"), (1, "NOT")}
    assert known_until(None, steps) == {(1, "AS1"), (1, "NOT"), (2, "AS1")}
    for unknown in ("none", "9-REC", "'; --", ""):
        assert known_until(unknown, steps) == set()
