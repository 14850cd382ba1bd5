"""Every message is answered and released, and then the next one is opened, whatever error occurs."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.gateway.wire import opening
from services.gateway.wire.opening import Contents, MessageRejected, Opener, Rejection
from services.gateway.wire.signature import Signer
from shared.runtime.process_pool import ProcessPool

from .builders import MAX_BYTES, PROCESSES, TwoGateways, a_documented_certificate
from .test_gateway_receiving import a_message


async def body(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


def fail(raw: bytes, certificate: bytes | None) -> Any:
    """Fails as for a message that needs more memory than its process may have."""
    raise MemoryError


@pytest.fixture
async def opener() -> AsyncIterator[Opener]:
    one = Opener([ProcessPool()])
    yield one
    await one.aclose()


async def test_a_message_with_an_unexpected_error_is_requested_again_and_the_next_is_opened(
    opener: Opener, monkeypatch: pytest.MonkeyPatch, signers: dict[str, Signer]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(opening, "open_message", fail)
        with pytest.raises(MessageRejected, match="not_now") as refused:
            await asyncio.wait_for(opener.open(b"", (), ("KH", "")), 60)
    assert refused.value.status == 503
    opened = await opener.open(a_message(signers["KH"]), [signers["KH"].certificate], ("KH", ""))
    assert opened.envelope.sender == "KH"


def wait_for_ever(raw: bytes, certificate: bytes | None) -> tuple[Contents | Rejection, int]:
    """Never returns."""
    while True:
        pass


async def test_messages_that_wait_when_the_service_stops_are_requested_again(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "open_message", wait_for_ever)
    waiting = [asyncio.create_task(opener.open(b"", (), ("KH", ""))) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await opener.aclose()
    for ended in await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 60):
        assert isinstance(ended, MessageRejected)
        assert ended.code == "not_now"


async def test_waiting_messages_are_limited_for_one_address_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MAX_MESSAGES", 5)
    monkeypatch.setattr(opening, "MAX_MESSAGES_OF_ONE", 3)
    opener = Opener(PROCESSES)
    for address in ("192.0.2.1",) * 3 + ("192.0.2.2",) * 2:
        await opener.receive(body(b"x"), 10, address)
    for address in ("192.0.2.1", "192.0.2.3"):
        with pytest.raises(MessageRejected, match="too_much_at_once") as refused:
            await opener.receive(body(b"x"), 10, address)
        assert refused.value.status == 503
    opener.release(1, "192.0.2.1")
    assert await opener.receive(body(b"x"), 10, "192.0.2.3") == b"x"


async def test_a_refused_message_is_released() -> None:
    opener = Opener(PROCESSES)
    with pytest.raises(MessageRejected, match="message_too_long"):
        await opener.receive(body(b"x" * 11), 10, "192.0.2.1")
    assert (opener._held.total(), opener._messages.total()) == (0, 0)


async def test_a_compressed_answer_is_not_decompressed(gateways: TwoGateways) -> None:
    compressed = gzip.compress(b" " * 8 * MAX_BYTES)
    answer = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(compressed))
    gateways.kh.links["VN"].answers = [answer]
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.kh.run_due_tasks()
    assert "cannot be trusted" in ((await gateways.kh.state(event.certificate_id)).waits_because or "")
    assert gateways.kh.links["VN"].sent[0][1]["accept-encoding"] == "identity"
    assert await gateways.kh.codes() == ["AS1"]
