import json
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from deploy.embedded.customs import customs_server
from services.gateway.wire.signature import Signer
from shared.database.migrations.schema import migrate

from .builders import TwoGateways, a_signer, two_gateways

RULES = [
    {"country": "VN", "hs_prefix": "2402", "code": "restricted_goods", "detail": "Cigars need an import licence."},
    {"hs_prefix": "99", "code": "hs_code_not_recognised", "detail": "Chapter 99 is not in use."},
]


@pytest.fixture(scope="session")
def signers() -> dict[str, Signer]:
    return {"KH": a_signer("KH"), "VN": a_signer("VN")}


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("gateway") / "empty.sqlite"
    migrate("gateway", make_url(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def customs_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    rules = tmp_path_factory.mktemp("customs") / "rules.json"
    rules.write_text(json.dumps(RULES))
    server = customs_server(0, rules)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class ToCustoms(httpx.AsyncBaseTransport):
    """Sends the requests for `customs.example` to the stand-in on a local port."""

    def __init__(self, address: str) -> None:
        self._client = httpx.AsyncClient(base_url=address, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.post(request.url.path, content=await request.aread())

    async def aclose(self) -> None:
        await self._client.aclose()


@pytest.fixture
async def gateways(
    empty_database: Path, tmp_path: Path, signers: dict[str, Signer], customs_address: str
) -> AsyncIterator[TwoGateways]:
    async with _gateways(empty_database, tmp_path, signers, customs_address, trust=True) as pair:
        yield pair


@pytest.fixture
async def gateways_without_trust(
    empty_database: Path, tmp_path: Path, signers: dict[str, Signer], customs_address: str
) -> AsyncIterator[TwoGateways]:
    async with _gateways(empty_database, tmp_path, signers, customs_address, trust=False) as pair:
        yield pair


@asynccontextmanager
async def _gateways(
    empty_database: Path, folder: Path, signers: dict[str, Signer], customs_address: str, *, trust: bool
) -> AsyncIterator[TwoGateways]:
    databases = {country: folder / f"{country}.sqlite" for country in signers}
    for file in databases.values():
        shutil.copy(empty_database, file)
    async with AsyncExitStack() as stack:
        pair = await two_gateways(stack, databases, signers, trust)
        for gateway in (pair.kh, pair.vn):
            gateway.customs_link.to = ToCustoms(customs_address)
            stack.push_async_callback(gateway.customs_link.to.aclose)
        yield pair
