"""Copies of a database in a container, taken and put back from the machine it runs on."""

import asyncio
from pathlib import Path

import pytest

from cli.commands.backup import backup, restore
from cli.commands.recover import recover
from shared.bus.client import AskRefused
from shared.contracts import operations
from tests.containers.composed import Composed
from tests.support.load import Load

SERVICE = "certificates"


async def test_a_database_is_put_back_and_all_replicas_of_its_service_work_on(
    composed: Composed, load: Load, tmp_path: Path
) -> None:
    which, replicas = composed.database(SERVICE), composed.replicas(SERVICE)
    await load.send(3)
    await load.must_have_arrived()

    await asyncio.to_thread(backup, SERVICE, to=tmp_path, which=which)
    (copy,) = tmp_path.glob("*.copy")
    for replica in replicas:
        await asyncio.to_thread(replica.container.stop)
    await asyncio.to_thread(restore, SERVICE, copy, which=which)
    for replica in replicas:
        replica.container.start()

    state: operations.Recovery = await load.system.operator.ask(operations.AskRecovery(), service=SERVICE)
    assert state.recovering
    with pytest.raises(AskRefused, match="service_recovering"):
        await load.submitted()
    await recover(SERVICE, confirm=True, where=composed.where())
    await composed.all_ready()
    await load.send(3)
    await load.must_have_arrived()
