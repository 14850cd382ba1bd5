"""Compares push and pull consumers for the events of a service.

Three ways to read one durable consumer of three subjects, each in a separate process. The nats-server stores its stream
on disk with `sync_interval: always`:

  push    FastStream's push subscriber puts each message in a queue; a worker handles all queued messages, at most 100
  linger  FastStream's batch pull: all messages of 20 ms, at most 100
  rest    a pull of 100 with `no_wait` and `expires`: the server waits for one event, then sends all at once

Measured:

- latency and CPU at idle, the rate through a backlog, the gap when the bus is killed and restarted;
- the effect of a SIGTERM during a backlog, the shares of two replicas, and the events that wait when one of them hangs.

It takes five minutes:

    .venv/bin/python -m bench.push_or_pull
"""

import asyncio
import json
import logging
import os
import signal
import socket
import statistics
import sys
import sysconfig
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import nats
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js.api import ConsumerConfig

VARIANTS, BATCH, WINDOW, PULL, ACK_WAIT, IN_FLIGHT = ("push", "linger", "rest"), 100, 0.02, 1, 30, 1000
WARM_UP, SAMPLES, IDLE, RESTARTS, BACKLOG, SHARED, HANG = 10, 60, 20, 5, 20_000, 10_000, 5
CONNECT: dict[str, Any] = {"max_reconnect_attempts": -1, "reconnect_time_wait": 0.5}


class Event(NamedTuple):
    sequence: int
    delivery: int
    sent: int
    at: int


class Worker:
    """Handles and acknowledges batches, and records the times."""

    def __init__(self, variant: str, url: str) -> None:
        self.variant, self.url, self.stopping = variant, url, asyncio.Event()
        self.waiting: asyncio.Queue[Msg | None] = asyncio.Queue()  # None only wakes the worker
        self.handled: list[tuple[Msg, int]] = []
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stopping.set)

    async def take(self, msg: Msg | None = None) -> None:
        self.waiting.put_nowait(msg)

    async def handle(self, batch: list[Msg]) -> None:
        now = time.time_ns()
        await asyncio.sleep(0)
        for msg in batch:
            await msg.ack()
        self.handled += [(msg, now) for msg in batch]

    async def subscribe(self, handler: Any, **options: Any) -> tuple[NatsBroker, Any]:
        async def raw(message: NatsMessage) -> Any:  # as decoder: a Context parameter costs a thread for each message
            return message.raw_message

        broker = NatsBroker(self.url, logger=None, apply_types=False, **CONNECT)
        options |= {"stream": JStream("EVENTS", declare=False), "ack_policy": AckPolicy.MANUAL, "decoder": raw}
        subscriber = broker.subscriber(config=ConsumerConfig(filter_subjects=subjects(self.variant)), **options)
        subscriber(handler)
        await broker.start()
        print("ready", flush=True)
        return broker, subscriber

    async def work(self) -> None:
        while not self.stopping.is_set():
            batch = [await self.waiting.get()]
            while len(batch) < BATCH and not self.waiting.empty():
                batch.append(self.waiting.get_nowait())
            await self.handle([msg for msg in batch if msg])

    async def push(self) -> None:
        broker, subscriber = await self.subscribe(self.take, queue="push")
        worker = asyncio.create_task(self.work())
        await self.stopping.wait()
        await self.take()
        await worker
        await asyncio.sleep(0.2)  # until max_ack_pending stops the bus: undeliverable messages wait for ack_wait
        await subscriber.subscription.drain()  # broker.stop() alone drops the messages in the client
        subscriber.subscription = None
        while not self.waiting.empty():
            if msg := self.waiting.get_nowait():
                await msg.nak()
        await broker.stop()

    async def linger(self) -> None:
        pull = PullSub(batch_size=BATCH, timeout=WINDOW, batch=True)
        broker, _ = await self.subscribe(self.handle, durable="linger", pull_sub=pull)
        await self.stopping.wait()
        await broker.stop()

    async def rest(self) -> None:
        nc = await nats.connect(self.url, reconnected_cb=self.take, **CONNECT)  # a pull ends with its connection
        inbox, request = nc.new_inbox(), json.dumps({"batch": BATCH, "no_wait": True, "expires": PULL * 10**9})
        await nc.subscribe(inbox, cb=self.take)
        print("ready", flush=True)
        while not self.stopping.is_set():  # each answer is read completely, so nothing must be returned
            await nc.publish("$JS.API.CONSUMER.MSG.NEXT.EVENTS.rest", request.encode(), reply=inbox)
            batch: list[Msg] = []
            while len(batch) < BATCH and (msg := await self.waiting.get()) and msg.reply:  # a status has no reply
                batch.append(msg)
            await self.handle(batch)
        await nc.drain()


class Bench:
    """Runs the bus and the consumers, publishes and measures."""

    def __init__(self, home: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"127.0.0.1:{free.getsockname()[1]}"
        self.config, self.started = Path(home, "nats.conf"), list[Process]()
        jetstream = f'jetstream {{ store_dir: "{home}", sync_interval: always }}'
        self.config.write_text(f'listen: "{self.url}", log_file: "{home}/log", {jetstream}')

    async def run(self, *command: str | Path) -> Process:
        self.started.append(await asyncio.create_subprocess_exec(*command, stdout=PIPE))
        return self.started[-1]

    async def start(self) -> None:
        self.bus = await self.run(Path(sysconfig.get_path("scripts"), "nats-server"), "-c", self.config)
        self.nc = await nats.connect(self.url, **CONNECT | {"reconnect_time_wait": 0.02})
        self.js = self.nc.jetstream()
        while True:
            with suppress(Error):  # it answers once it has read its store
                await self.js.add_stream(name="EVENTS", subjects=["evt.>"])
                return

    async def consumer(self, variant: str) -> Process:
        one = await self.run(sys.executable, __file__, variant, self.url)
        await cast(asyncio.StreamReader, one.stdout).readline()  # "ready"
        return one

    async def stop(self, one: Process) -> list[Event]:
        one.terminate()
        return [Event(*map(int, line.split())) for line in (await one.communicate())[0].splitlines()]

    async def publish(self, variant: str, count: int = 1) -> None:
        names = (subjects(variant) * count)[:count]
        for n in range(0, count, BATCH):
            sent = str(time.time_ns())
            await asyncio.gather(*(self.js.publish(name, headers={"Sent": sent}) for name in names[n : n + BATCH]))

    async def until(self, variant: str, left: int = 0) -> None:
        while True:
            info = await self.js.consumer_info("EVENTS", variant)
            if (info.num_pending or 0) + (info.num_ack_pending or 0) <= left:
                return
            await asyncio.sleep(0.02)

    async def measure(self, variant: str) -> dict[str, str]:
        config = ConsumerConfig(durable_name=variant, filter_subjects=subjects(variant))
        pushed = {"deliver_subject": f"deliver.{variant}", "deliver_group": variant} if variant == "push" else {}
        await self.js.add_consumer("EVENTS", config.evolve(ack_wait=ACK_WAIT, max_ack_pending=IN_FLIGHT, **pushed))

        one, killed = await self.consumer(variant), []
        for _ in range(WARM_UP + SAMPLES):
            await self.publish(variant)
            await asyncio.sleep(0.1)
        before = cpu(one), cpu(self.bus)
        await asyncio.sleep(IDLE)
        used = [(cpu(process) - then) / IDLE for process, then in zip((one, self.bus), before, strict=True)]
        for n in range(RESTARTS):
            await asyncio.sleep(1 + 0.9 * n)  # at a different moment of a pull each time
            await self.nc.close()
            self.bus.kill()
            killed.append(time.time_ns())
            await self.bus.wait()
            await self.start()
            await self.publish(variant)
            await self.until(variant)
        seen = first(await self.stop(one))
        delays = sorted((event.at - event.sent) / 1e6 for event in seen[WARM_UP:-RESTARTS])
        gaps = [(event.at - then) / 1e9 for event, then in zip(seen[-RESTARTS:], killed, strict=True)]

        await self.publish(variant, BACKLOG)
        one = await self.consumer(variant)
        await self.until(variant)
        seen = await self.stop(one)
        rate = len(seen) / (seen[-1].at - seen[0].at) * 1e9

        await self.publish(variant, BACKLOG)
        one = await self.consumer(variant)
        await self.until(variant, BACKLOG // 2)
        stopped_at = time.time_ns()
        seen = await self.stop(one)
        closed = time.time_ns()
        one = await self.consumer(variant)
        await self.until(variant)
        seen += await self.stop(one)
        redelivered, duplicates = sum(event.delivery > 1 for event in seen), len(seen) - len(first(seen))
        all_handled = (max(event.at for event in first(seen)) - stopped_at) / 1e9

        pair = [await self.consumer(variant), await self.consumer(variant)]
        await self.publish(variant, SHARED)
        await self.until(variant)
        shared = time.time_ns()
        pair[0].send_signal(signal.SIGSTOP)
        await self.publish(variant, SHARED)
        await asyncio.sleep(HANG)
        hung = time.time_ns()
        pair[0].send_signal(signal.SIGCONT)
        await self.until(variant)
        both = [await self.stop(one) for one in pair]
        split = [sum(event.at < shared for event in events) for events in both]

        return {
            "latency at idle, median / p99, ms": f"{statistics.median(delays):.1f} / {delays[int(0.99 * SAMPLES)]:.1f}",
            "CPU at idle, consumer / bus, of one core": f"{used[0]:.2%} / {used[1]:.2%}",
            f"through a backlog of {BACKLOG}, events/s": f"{rate:.0f}",
            "bus killed to next event, median / worst, s": f"{statistics.median(gaps):.1f} / {max(gaps):.1f}",
            "SIGTERM to closed / to all handled, s": f"{(closed - stopped_at) / 1e9:.2f} / {all_handled:.1f}",
            "  waited for ack_wait": "yes" if all_handled > ACK_WAIT / 2 else "no",
            "  delivered again / handled twice": f"{redelivered} / {duplicates}",
            f"two replicas share {SHARED}": f"{split[0]} / {split[1]}",
            f"one of them hangs: stuck of {SHARED}": f"{sum(event.at > hung for event in first(both[0] + both[1]))}",
        }


def subjects(variant: str) -> list[str]:
    return [f"evt.{variant}.{name}" for name in ("issued", "replaced", "revoked")]


def first(events: list[Event]) -> list[Event]:
    """The first handling of each event."""
    return sorted({event.sequence: event for event in sorted(events, key=lambda event: -event.at)}.values())


def cpu(process: Process) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def consume(variant: str, url: str) -> None:
    worker = Worker(variant, url)
    await getattr(worker, variant)()
    for msg, at in worker.handled:
        print(msg.metadata.sequence.stream, msg.metadata.num_delivered, (msg.headers or {})["Sent"], at)


async def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        bench = Bench(home)
        try:
            await bench.start()
            found = [await bench.measure(variant) for variant in VARIANTS]
        finally:
            for process in bench.started:
                with suppress(ProcessLookupError):
                    process.kill()
                    await process.wait()
    for name, *cells in [("", *VARIANTS), *((name, *(row[name] for row in found)) for name in found[0])]:
        print(f"{name:46}" + "".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    logging.disable()  # every client reports each lost connection
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that started processes are stopped
    asyncio.run(consume(*sys.argv[1:]) if sys.argv[1:] else asyncio.wait_for(main(), 900))
