"""A separate system for faults: few certificates by default, thousands with `--full-scale`."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.bus.client import BusClient
from tests.stories.conftest import a_running_system
from tests.support.load import PARTNER, Load, redeliver_sooner


@pytest.fixture(scope="session")
def many(request: pytest.FixtureRequest) -> int:
    """The number of certificates in progress during a fault."""
    return 2000 if request.config.getoption("--full-scale") else 16


@pytest.fixture(scope="package")
def root(tmp_path_factory: pytest.TempPathFactory, many: int) -> Iterator[Path]:
    """The folder of the system. Its databases are on a small tmpfs, if this process may mount one."""
    root = tmp_path_factory.mktemp("faults")
    (root / "data").mkdir()
    size = f"{64 + many}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", root / "data"], capture_output=True)
    yield root
    if mounted.returncode == 0:
        subprocess.run(["umount", "-l", root / "data"], check=True)


@pytest.fixture
def small_disk(root: Path) -> Path:
    """The tmpfs of the databases. Without it, because only root can mount one, the test is skipped."""
    if not (root / "data").is_mount():
        pytest.skip("needs the right to mount a tmpfs")
    return root / "data"


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def load(root: Path, many: int) -> AsyncIterator[Load]:
    async with (
        a_running_system(root, (PARTNER,)) as system,
        await BusClient.connect("operator", system.stack.nats_url, system.stack.seed("operator", PARTNER)) as partner,
    ):
        await redeliver_sooner(system)
        yield await Load.create(system, partner, patience=60 + many / 2)
