"""A system of its own for the faults: small in the ordinary run, thousands of certificates with `--full-scale`."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.bus.client import BusClient
from tests.stories.conftest import a_running_system
from tests.support.load import PARTNER, Load, hand_over_sooner


@pytest.fixture(scope="session")
def many(request: pytest.FixtureRequest) -> int:
    """How many certificates are on their way during a fault."""
    return 2000 if request.config.getoption("--full-scale") else 16


@pytest.fixture(scope="package")
def root(tmp_path_factory: pytest.TempPathFactory, many: int) -> Iterator[Path]:
    """Where the system keeps its things; its databases stand on a small disk of their own, where this may make one."""
    root = tmp_path_factory.mktemp("faults")
    (root / "data").mkdir()
    size = f"{64 + many}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", root / "data"], capture_output=True)
    yield root
    if mounted.returncode == 0:
        subprocess.run(["umount", "-l", root / "data"], check=True)


@pytest.fixture
def small_disk(root: Path) -> Path:
    """The disk of the databases. Only root can make one, so elsewhere this skips aloud."""
    if not (root / "data").is_mount():
        pytest.skip("a disk of its own needs the right to mount a tmpfs")
    return root / "data"


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def load(root: Path, many: int) -> AsyncIterator[Load]:
    async with (
        a_running_system(root, (PARTNER,)) as system,
        await BusClient.connect("operator", system.stack.nats_url, system.stack.seed("operator", PARTNER)) as partner,
    ):
        await hand_over_sooner(system)
        yield await Load.gather(system, partner, patience=60 + many / 2)
