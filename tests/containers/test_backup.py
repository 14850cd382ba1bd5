"""Backups of a database in a container, created and restored on its machine."""

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


async def test_a_database_is_restored_and_all_replicas_of_its_service_continue(
    composed: Composed, load: Load, tmp_path: Path
) -> None:
    database, replicas = composed.database(SERVICE), composed.replicas(SERVICE)
    await load.send(3)
    await load.check_arrival()

    await asyncio.to_thread(backup, SERVICE, to=tmp_path, which=database)
    (file,) = tmp_path.glob("*.copy")
    for replica in replicas:
        await asyncio.to_thread(replica.container.stop)
    await asyncio.to_thread(restore, SERVICE, file, which=database)
    for replica in replicas:
        replica.container.start()

    state: operations.Recovery = await load.system.operator.ask(operations.AskRecovery(), service=SERVICE)
    assert state.recovering
    with pytest.raises(AskRefused, match="service_recovering"):
        await load.submitted()
    await recover(SERVICE, confirm=True, where=composed.where())
    await composed.all_ready()
    await load.send(3)
    await load.check_arrival()
