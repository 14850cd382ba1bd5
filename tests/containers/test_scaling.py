"""Replicas share the work, assign numbers without a gap, and can be restarted while users work."""

import asyncio
from time import monotonic

from deploy.nats.stream import ACK_WAIT
from tests.containers.composed import Composed
from tests.containers.traffic import under_load
from tests.support.load import Load


async def test_replicas_share_the_work_and_numbers_have_no_gap(composed: Composed, load: Load, many: int) -> None:
    await load.send(many)
    await load.check_arrival()

    for service, metric in (
        ("certificates", "co_requests_total"),
        ("certificates", "co_published_total"),
        ("fees", "co_requests_total"),
        ("fees", "co_event_batch_size_count"),
        ("tracking", "co_event_batch_size_count"),
        ("gateway", "co_event_batch_size_count"),
    ):
        shares = [await replica.metric(metric) for replica in composed.replicas(service)]
        print(service, metric, shares)
        assert len([share for share in shares if share > 0]) >= 2, (service, metric, shares)


async def test_every_service_is_restarted_replica_by_replica_while_users_work(composed: Composed, load: Load) -> None:
    async with under_load(load) as traffic:
        for replica in composed.replicas():
            await replica.restart()

    assert traffic.arrived > 0
    assert traffic.p99 < 2.0


async def test_a_stopped_replica_finishes_its_running_work(composed: Composed, load: Load) -> None:
    async with under_load(load) as traffic:
        for service in ("certificates", "fees"):
            stopped = composed.replicas(service)[0]
            began = monotonic()
            await asyncio.to_thread(stopped.container.stop, timeout=40)
            took = monotonic() - began
            stopped.container.reload()
            print(f"{service} stopped in {took:.1f} s with {stopped.container.attrs['State']['ExitCode']}")
            assert stopped.container.attrs["State"]["ExitCode"] == 0
            assert took < 30
            stopped.container.start()
            await stopped.becomes_ready()

    assert max(traffic.seconds) < ACK_WAIT / 2  # its unprocessed events were returned at once
