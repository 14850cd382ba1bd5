"""Processes die in the middle of the work, and nothing that was accepted is lost."""

import asyncio

import pytest

from shared.contracts import ops
from tests.stories.conftest import PARTNERS, Nation, to

EVERY_PROCESS = ("registry", "certificates", "fees", "gateway", "tracking", "nats", *(f"gateway-{p.lower()}" for p in PARTNERS))
AT_ONCE = 4


@pytest.mark.parametrize("name", EVERY_PROCESS)
async def test_killing_a_process_in_the_middle_loses_nothing(nation: Nation, name: str) -> None:
    travelling = [asyncio.create_task(nation.travel(to("VN"))) for _ in range(AT_ONCE)]
    await asyncio.sleep(0.5)

    nation.stack.kill(name)
    pages = await asyncio.gather(*travelling)

    assert [page["status"] for page in pages] == ["REC"] * AT_ONCE
    assert [[step["code"] for step in page["steps"]] for page in pages] == [["AS1", "AS2", "REC"]] * AT_ONCE
    assert len({page["reference"] for page in pages}) == AT_ONCE
    await nation.stack.ready()


async def test_after_all_of_that_numbers_have_no_gap_and_every_issued_certificate_was_sent_once(nation: Nation) -> None:
    async def keys(service: str, fact: str) -> list[str]:
        found: ops.Keys = await nation.operator.ask(ops.ListKeys(fact=fact), service=service)
        return list(found.keys)

    numbers = [reference for reference in await keys("certificates", "numbered") if "-PNH-" in reference]
    issued = await keys("certificates", "issued")
    assert [int(reference[-6:]) for reference in numbers] == list(range(1, len(numbers) + 1))
    assert sorted(await keys("gateway", "transmitted")) == issued
    assert set(issued) <= set(await keys("fees", "settled"))
