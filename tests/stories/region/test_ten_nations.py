"""The region: no document between the members is lost, doubled or moved backwards, whatever happens to some of them.

`make prove ARGS=region` runs ten nations and 20,000 documents.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic

import pytest

from cli.commands.asean import CUSTOMS
from deploy.embedded.layout import free_ports
from deploy.region.documents import announce, documents_between
from deploy.region.ledger import RegionState
from deploy.region.stack import Region, exchanging_members

pytestmark = pytest.mark.slow

FAULTS = {"duplicates": 0.2, "disorder": 0.1, "lost_answers": 0.05}
ENDED = {"REC", "NOT"}


@dataclass(frozen=True)
class Scale:
    """How much a run does. Times are in seconds since the start of the network."""

    members: tuple[str, ...]
    documents: int
    out: dict[str, tuple[float, float]]
    away: str
    """A member that is out until the end."""
    away_from: float
    clocks: dict[str, int]
    """Seconds by which the clocks of members are ahead."""
    killed: str
    kills: int
    every: float
    within: float


SMALL = Scale(("KH", "VN", "TH", "LA"), 200, {"TH": (6, 14)}, "LA", 12, {"VN": 900}, killed="KH", kills=3, every=3, within=120)
FULL = Scale(
    exchanging_members(date(2026, 11, 27)),
    20_000,
    {"TH": (60, 300), "MM": (120, 420)},
    "BN",
    600,
    {"VN": 900, "SG": -900},
    killed="PH",
    kills=15,
    every=20,
    within=5400,
)


def behaviour_of(scale: Scale) -> dict[str, object]:
    out = {country: FAULTS | {"out": [times]} for country, times in scale.out.items()}
    wrong = {country: FAULTS | {"clock": ahead} for country, ahead in scale.clocks.items()}
    return {"*": FAULTS, scale.away: FAULTS | {"out": [(scale.away_from, 3600)], "version": 1}} | out | wrong


@asynccontextmanager
async def a_region(root: Path, scale: Scale) -> AsyncIterator[Region]:
    file = root / "behaviour.json"
    file.write_text(json.dumps(behaviour_of(scale)))
    async with Region(
        root / "region", members=scale.members, behaviour=file, customs_rules=CUSTOMS, ports=free_ports
    ) as region:
        yield region


async def kill_again_and_again(region: Region, scale: Scale) -> None:
    for _ in range(scale.kills):
        await asyncio.sleep(scale.every)
        region.kill(region.name("gateway", scale.killed))


def unsettled(state: RegionState, scale: Scale) -> list[str]:
    """The documents that neither ended nor wait at the member that is out."""
    return [
        f"{each.reference} to {each.receiver}: {' '.join(each.codes)}"
        for each in state.sent
        if each.codes[-1] not in ENDED and scale.away not in (each.sender, each.receiver)
    ]


async def test_every_document_ends_or_waits_for_a_member_that_is_out(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    scale = FULL if request.config.getoption("--full-scale") else SMALL
    async with a_region(tmp_path, scale) as region:
        began = monotonic()
        killing = asyncio.create_task(kill_again_and_again(region, scale))
        documents = documents_between(scale.members, scale.documents, 1, date.today())
        half = len(documents) // 2
        await announce(region, documents[:half], 1)
        await asyncio.sleep(scale.away_from)
        await announce(region, documents[half:], 2)
        await killing
        while True:
            state = await asyncio.to_thread(RegionState.read, region.database_files)
            if len(state.sent) == scale.documents and not unsettled(state, scale):
                break
            assert monotonic() - began < scale.within, (dict(state.counts()), unsettled(state, scale)[:10])
            await asyncio.sleep(1)
        took = monotonic() - began

    counts = state.counts()
    print(f"\n{len(scale.members)} members, {scale.documents} documents in {took:.0f} s: {dict(counts)}")
    assert state.repeated() == []
    assert state.disagreements() == []
    assert counts["NOT"] > scale.documents * 0.03
    waiting = [each for each in state.sent if each.codes[-1] not in ENDED]
    assert waiting, "the member that is out has documents that wait"
    assert {scale.away} <= set.union(*({each.sender, each.receiver} for each in waiting))
