"""Replicas share the work, number without a gap, and can be replaced while people work."""

import asyncio
from time import monotonic

from deploy.nats.stream import ACK_WAIT
from tests.containers.composed import Composed
from tests.containers.traffic import under_load
from tests.support.load import Load


async def test_replicas_share_the_work_and_numbers_have_no_gap(composed: Composed, load: Load, many: int) -> None:
    await load.send(many)
    await load.must_have_arrived()

    for service, what in (
        ("certificates", "co_requests_total"),
        ("certificates", "co_published_total"),
        ("fees", "co_requests_total"),
        ("fees", "co_event_batch_size_count"),
        ("tracking", "co_event_batch_size_count"),
        ("gateway", "co_event_batch_size_count"),
    ):
        shares = [await replica.figure(what) for replica in composed.replicas(service)]
        print(service, what, shares)
        assert len([share for share in shares if share > 0]) >= 2, (service, what, shares)


async def test_every_service_is_restarted_replica_by_replica_while_people_work(composed: Composed, load: Load) -> None:
    async with under_load(load) as traffic:
        for replica in composed.replicas():
            await replica.restart()

    assert traffic.arrived > 0
    assert traffic.p99 < 2.0


async def test_a_replica_told_to_stop_finishes_what_it_has_begun(composed: Composed, load: Load) -> None:
    async with under_load(load) as traffic:
        for service in ("certificates", "fees"):
            leaving = composed.replicas(service)[0]
            began = monotonic()
            await asyncio.to_thread(leaving.container.stop, timeout=40)
            took = monotonic() - began
            leaving.container.reload()
            print(f"{service} stopped in {took:.1f} s with {leaving.container.attrs['State']['ExitCode']}")
            assert leaving.container.attrs["State"]["ExitCode"] == 0
            assert took < 30
            leaving.container.start()
            await leaving.becomes_ready()

    assert max(traffic.seconds) < ACK_WAIT / 2  # whatever it had been handed was given back at once
