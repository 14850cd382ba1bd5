"""Copies of a database in a container, taken and put back from the machine it runs on."""

import asyncio
from pathlib import Path

import pytest

from cli.copies import backup, restore
from cli.recover import recover
from shared.bus.client import AskRefused
from shared.contracts import operations
from tests.containers.composed import Composed
from tests.stories.faults.crowd import Crowd

SERVICE = "certificates"


async def test_a_database_is_put_back_and_all_replicas_of_its_service_work_on(
    system: Composed, crowd: Crowd, tmp_path: Path
) -> None:
    which, replicas = system.database(SERVICE), system.replicas(SERVICE)
    await crowd.send(3)
    await crowd.must_have_arrived()

    await asyncio.to_thread(backup, SERVICE, to=tmp_path, which=which)
    (copy,) = tmp_path.glob("*.copy")
    for replica in replicas:
        await asyncio.to_thread(replica.container.stop)
    await asyncio.to_thread(restore, SERVICE, copy, which=which)
    for replica in replicas:
        replica.container.start()

    state: operations.Recovery = await crowd.nation.operator.ask(operations.AskRecovery(), service=SERVICE)
    assert state.recovering
    with pytest.raises(AskRefused, match="service_recovering"):
        await crowd.submitted()
    await recover(SERVICE, confirm=True, where=system.where())
    await system.all_ready()
    await crowd.send(3)
    await crowd.must_have_arrived()
