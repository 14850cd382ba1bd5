"""What strangers sent to stop a gateway before their signature was verified: memory, processor time, and who waits beside them.

`pytest -s` prints the figures of decision 0019.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import httpx
import pytest

from services.gateway.wire.signature import Signer
from shared.xml.bounds import MAX_ELEMENTS

from .builders import PROCESSES, TwoGateways, with_certificate
from .test_gateway_bounds import HEAD, MIB, NAMED, TAIL, between, filled
from .test_gateway_receiving import XML, a_message

pytestmark = pytest.mark.slow

STRANGER, PARTNER = "192.0.2.66", "192.0.2.1"


def elements(genuine: bytes) -> bytes:
    """4 MiB of empty elements."""
    return filled(b"<a/>", MIB)[: 4 * MIB]


def namespaces(size: int) -> Callable[[bytes], bytes]:
    """So many bytes of namespaces where the signature names its canonical form."""

    def message(genuine: bytes) -> bytes:
        declared = b"".join(b' xmlns:n%d="u"' % number for number in range(size // 16))
        return genuine.replace(NAMED, NAMED.replace(b"/>", declared + b"/>", 1))

    return message


def within_bounds(genuine: bytes) -> bytes:
    """3.9 MB that exceed no bound, with the signature of another message."""
    signature = between(genuine, b"<ds:Signature ", b"</Message>")
    return HEAD + (b"<a>" + b"x" * 32 + b"</a>") * (MAX_ELEMENTS - 20) + signature + TAIL


ATTACKS: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "4 MiB of empty elements": (elements, 6),
    "0.9 MB of namespaces in a signature": (namespaces(900_000), 1),
    "600 KB of namespaces in a signature": (namespaces(600_000), 36),
    "3.9 MB within the bounds": (within_bounds, 20),
}


def memory_of(pid: int) -> int:
    """The memory of a process in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // MIB


def processor_of(pid: int) -> float:
    """The seconds of processors that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def used_by(openers: list[int]) -> float:
    """The seconds of processors of this process, of its ended children, and of those that open messages."""
    return sum(os.times()[:4]) + sum(map(processor_of, openers))


def openers() -> list[int]:
    """The processes that open messages."""
    return [process.submit(os.getpid).result() for process in PROCESSES]


@pytest.mark.parametrize("what", ATTACKS)
async def test_a_stranger_takes_little_and_a_partner_is_served(
    gateways: TwoGateways, signers: dict[str, Signer], what: str
) -> None:
    attack, times = ATTACKS[what]
    gateways.vn.exchange.max_message_bytes = 4 * MIB
    hostile = attack(a_message(signers["KH"]))
    clients = {
        address: httpx.AsyncClient(
            transport=httpx.ASGITransport(
                with_certificate(gateways.vn.app, signers["KH"]), raise_app_exceptions=False, client=(address, 1)
            ),
            base_url="https://vn.example",
            timeout=120,
        )
        for address in (STRANGER, PARTNER)
    }

    async def send(address: str, body: bytes) -> int:
        return (await clients[address].post("/asw/messages", content=body, headers=XML)).status_code

    assert await send(PARTNER, a_message(signers["KH"])) == 200
    memory, used, began = memory_of(os.getpid()), used_by(openers()), monotonic()
    attacks = [asyncio.create_task(send(STRANGER, hostile)) for _ in range(times)]
    await asyncio.sleep(0)
    assert await send(PARTNER, a_message(signers["KH"])) == 200
    waited = monotonic() - began
    answers = await asyncio.gather(*attacks)
    took = monotonic() - began

    assert set(answers) <= {400, 403, 503}
    used, grown = used_by(openers()) - used, memory_of(os.getpid()) - memory
    sizes = list(map(memory_of, openers()))
    print(
        f"\n{times} x {what} ({len(hostile) / 1e6:.1f} MB): {used:.1f} s of a processor in {took:.1f} s; the gateway grew by"
        f" {grown} MiB, its processes have {sizes} MiB; a partner waited {waited:.2f} s"
    )
    assert waited < 10
    assert used < 20
    assert grown < 100
    assert max(sizes) <= 160
    for client in clients.values():
        await client.aclose()
