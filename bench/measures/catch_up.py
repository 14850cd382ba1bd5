"""How fast tracking handles the events that have gathered while it was away.

An hour with 2,000 lives gives 16,000 events for tracking. They are published as certificates and the gateway publish them:
signed, with a traceparent, and in the order of forty lives that are under way at the same time. Measured is the time from the
first event that tracking takes until nothing waits and everything is acknowledged.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from time import monotonic
from uuid import UUID, uuid4

import nkeys
from nats.js import JetStreamContext

from bench.cpu import cpu_of_groups, groups_of
from bench.figures import Conditions, Figure, middle
from bench.floors.process import TOGETHER
from bench.floors.stack import FloorStack
from bench.system import require_space
from deploy.embedded.layout import free_ports
from deploy.embedded.stack import Stack
from shared.bus.connection import TRACE_HEADER, connect
from shared.bus.stream import STREAM
from shared.contracts.certificates.issuing import CertificateIssued, CertificateStatus, CertificateStatusChanged
from shared.contracts.gateway.transmissions import StatusCode, TransmissionAdvanced
from shared.contracts.index import OPERATOR, SERVICES, owner_of
from shared.contracts.messages import Event
from shared.security.event_signatures import EventSigner

FIGURES = ("catch_up",)
LIVES, QUICK_LIVES = 2000, 100
UNDER_WAY = 40
LOOK_SECONDS = 0.02
PATIENCE = 300.0
SERVICE, PARTNER, OFFICE = "tracking", "VN", "PNH"


class Alone(Stack):
    """A stack with tracking only, which trusts the events of all services."""

    def announcers_of(self, country: str) -> tuple[str, ...]:
        return SERVICES


class FloorAlone(Alone, FloorStack):
    """The same with the process of the floor."""


@dataclass(frozen=True)
class CaughtUp:
    """One run. `started`: seconds from the start of the process to its first event; `cpu`: seconds of processor."""

    events: int
    seconds: float
    started: float
    cpu: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    def details(self) -> dict[str, float]:
        """The further values of a figure."""
        cpu = round(1000 * self.cpu / self.events, 3)
        return {"events": self.events, "cpu_ms_an_event": cpu, "seconds_to_first_event": round(self.started, 2)}


async def measure(conditions: Conditions) -> list[Figure]:
    """Measures tracking and a raw consumer in turn. Both handle at most 100 events in one transaction."""
    require_space(conditions.folder)
    lives = conditions.at_most(LIVES, QUICK_LIVES)
    runs: list[tuple[CaughtUp, CaughtUp]] = []
    async with AsyncExitStack() as closing:
        stacks: list[Stack] = []
        for kind in (Alone, FloorAlone):
            extra = {TOGETHER: "1"} if kind is FloorAlone else {}
            root = conditions.folder / kind.__name__
            stack = kind(root, partners=(), services=(SERVICE,), ports=free_ports, extra=extra)
            stacks.append(await closing.enter_async_context(stack))
        for number in range(conditions.rounds):
            product, floor = [await caught_up(stack, number * lives, lives) for stack in stacks]
            runs.append((product, floor))
    rates = [(product.rate, floor.rate) for product, floor in runs]
    product, floor = (sorted(side, key=lambda each: each.rate)[len(runs) // 2] for side in zip(*runs, strict=True))
    return [middle("catch_up", "events/s", rates, product=product.details(), floor=floor.details())]


async def caught_up(stack: Stack, first: int, lives: int) -> CaughtUp:
    """Stops tracking, publishes the events of `lives`, and starts it. Raises TimeoutError if it takes five minutes."""
    await stack.stop(SERVICE)
    count = await publish(stack, first, lives)
    operator = await connect(OPERATOR, stack.nats_url, stack.seed(OPERATOR))
    try:
        jetstream = operator.jetstream(timeout=10)
        started = monotonic()
        starting = asyncio.create_task(stack.start(SERVICE))
        while (left := await waiting(jetstream)) == count:
            await _pause(started)
        began, before = monotonic(), cpu_of_groups(groups_of(stack))[SERVICE]
        while await waiting(jetstream):
            await _pause(started)
        ended, after = monotonic(), cpu_of_groups(groups_of(stack))[SERVICE]
        await starting
    finally:
        await operator.close()
    return CaughtUp(left, ended - began, began - started, after - before)


async def waiting(jetstream: JetStreamContext) -> int:
    """The events that tracking has not acknowledged."""
    info = await jetstream.consumer_info(STREAM, SERVICE)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def _pause(since: float) -> None:
    if monotonic() > since + PATIENCE:
        raise TimeoutError(f"tracking has not caught up within {PATIENCE:.0f} s")
    await asyncio.sleep(LOOK_SECONDS)


async def publish(stack: Stack, first: int, lives: int) -> int:
    """Publishes the events of lives with the serial numbers from `first` on; returns how many there are."""
    owners = {owner_of(kind) for kind in (CertificateIssued, TransmissionAdvanced)}
    clients = {owner: await connect(owner, stack.nats_url, stack.seed(owner)) for owner in owners}
    signers = {owner: EventSigner(nkeys.from_seed(stack.seed(owner).strip().encode())) for owner in owners}
    streams = {owner: client.jetstream(timeout=30) for owner, client in clients.items()}

    async def one(event: Event) -> None:
        owner, body = owner_of(type(event)), event.model_dump_json().encode()
        trace = f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"
        headers = signers[owner].headers(event.subject, uuid4(), body) | {TRACE_HEADER: trace}
        await streams[owner].publish(event.subject, body, stream=STREAM, headers=headers)

    try:
        count = 0
        for start in range(first, first + lives, UNDER_WAY):
            serials = range(start, min(start + UNDER_WAY, first + lives))
            together = [list(events_of_life(serial)) for serial in serials]
            for events in zip(*together, strict=True):
                await asyncio.gather(*map(one, events))
                count += len(events)
        return count
    finally:
        for client in clients.values():
            await client.close()


def events_of_life(serial: int) -> Iterator[Event]:
    """The events of one life that tracking receives, in order."""
    certificate_id, now, today = uuid4(), datetime.now(UTC), date.today()
    reference = f"D{today.year}-{OFFICE}-{serial + 1:06}"
    statuses = (CertificateStatus.SUBMITTED, CertificateStatus.REVIEWED, CertificateStatus.APPROVED, CertificateStatus.ISSUED)
    for version, status in enumerate(statuses, start=2):
        yield CertificateStatusChanged(
            certificate_id=certificate_id,
            office=OFFICE,
            destination=PARTNER,
            status=status,
            submission=1,
            version=version,
            occurred_at=now,
        )
    yield CertificateIssued(
        certificate_id=certificate_id,
        reference=reference,
        form="D",
        destination=PARTNER,
        issued_on=today,
        valid_until=today + timedelta(days=365),
        version=5,
        occurred_at=now,
    )
    yield from steps_of_life(certificate_id, reference, now)


def steps_of_life(certificate_id: UUID, reference: str, now: datetime) -> Iterator[Event]:
    """The steps of its transmission."""
    for version, code in enumerate((StatusCode.AS1, StatusCode.AS2, StatusCode.REC), start=1):
        yield TransmissionAdvanced(
            certificate_id=certificate_id,
            reference=reference,
            destination=PARTNER,
            number=1,
            code=code,
            country=PARTNER if version > 1 else "KH",
            version=version,
            occurred_at=now,
        )
