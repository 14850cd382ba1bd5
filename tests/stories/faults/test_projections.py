"""A service that only repeats what others say may lose its whole database."""

import asyncio
import re

import pytest
from sqlalchemy import make_url

from cli.audit import audited
from cli.bus import reannounce
from cli.reach import CommandFailed
from shared.database.migrations.schema import migrate
from tests.stories.faults.crowd import Crowd


async def test_a_lost_projection_is_rebuilt_by_having_everything_announced_again(
    crowd: Crowd, many: int, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, operator = crowd.nation.stack, crowd.nation.operator
    await crowd.send(many)
    await crowd.must_have_arrived()
    url = make_url(stack.database_url("tracking"))

    await stack.stop("tracking")
    for file in (stack.root / "data").glob("tracking.db*"):
        file.unlink()
    await asyncio.to_thread(migrate, "tracking", url)
    await stack.start("tracking")
    empty = await audited(operator, stack.services, patience=0)
    assert any(finding.offenders for finding in empty if "tracking.numbered" in finding.says)

    for _ in range(2):  # harmless twice
        await reannounce(where=crowd.where)
        await crowd.must_have_arrived()

    assert f"certificate: certificates announced {3 * crowd.sent} events" in capsys.readouterr().out


async def test_a_noun_that_nobody_owns_cannot_be_announced(crowd: Crowd) -> None:
    with pytest.raises(
        CommandFailed, match=re.escape("There is no noun ship; there are certificate, fee, mandate, registration")
    ):
        await reannounce("ship", where=crowd.where)
