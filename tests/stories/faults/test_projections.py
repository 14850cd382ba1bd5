"""A projection of other services' events is rebuilt after the loss of its database."""

import asyncio
import re

import pytest
from sqlalchemy import make_url

from cli.commands.audit import audited
from cli.commands.bus import reannounce
from cli.target import CommandFailed
from shared.database.migrations.schema import migrate
from tests.support.load import Load


@pytest.mark.slow
async def test_a_lost_projection_is_rebuilt_by_reannouncing_everything(
    load: Load, many: int, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, operator = load.system.stack, load.system.operator
    await load.send(many)
    await load.check_arrival()
    url = make_url(stack.database_url("tracking"))

    await stack.stop("tracking")
    for file in (stack.root / "data").glob("tracking.db*"):
        file.unlink()
    await asyncio.to_thread(migrate, "tracking", url)
    await stack.start("tracking")
    empty = await audited(operator, stack.services, patience=0)
    assert any(finding.offenders for finding in empty if "tracking.numbered" in finding.says)

    for _ in range(2):  # idempotent
        await reannounce(where=load.where)
        await load.check_arrival()

    announced = re.findall(r"certificate: certificates announced ([0-9,]+) events", capsys.readouterr().out)
    # submitted, issued and documented; and sealed as soon as its document is made
    assert len(announced) == 2
    assert all(3 * load.sent <= int(number.replace(",", "")) <= 4 * load.sent for number in announced)


@pytest.mark.slow
async def test_an_unknown_noun_cannot_be_reannounced(load: Load) -> None:
    with pytest.raises(
        CommandFailed,
        match=re.escape("There is no noun ship; there are certificate, certificate-message, certificate-status, "),
    ):
        await reannounce("ship", where=load.where)
