"""The network between the gateways of a simulated region, with latency, outages, duplicates, disorder and lost answers.

`python -m deploy.region.network --configuration FILE`, which `deploy.region.stack` writes. Each country has a port with its TLS
certificate. A message that arrives there is passed to the gateway of the country, with the certificate of its sender.
"""

import argparse
import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any
from urllib.parse import quote

import httpx
from cryptography import x509

from deploy.region.behaviour import Behaviour, read_behaviour
from services.gateway.wire.tls import trust_only

SILENT = 40.0
"""Seconds that a message without an answer is held: longer than a gateway waits."""
MAX_BODY = 8 * 1024 * 1024
PASSED = {b"content-type", b"traceparent", b"accept-encoding"}


class Front:
    """The network in front of one country."""

    def __init__(self, behaviour: Behaviour, gateway: str, network: "Network", seed: str) -> None:
        self._behaviour, self._gateway, self._network = behaviour, gateway, network
        self._random = Random(seed)  # noqa: S311 - faults of a simulation

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of one connection."""
        try:
            peer = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            while (request := await _read(reader)) is not None:
                answer = await self._answer(*request, ssl.DER_cert_to_PEM_cert(peer))
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
            pass  # the sender has gone, and sends the message again
        finally:
            writer.close()

    async def _answer(self, headers: dict[bytes, bytes], body: bytes, certificate: str) -> bytes | None:
        """The answer of the gateway; None if the connection ends without one."""
        behaviour, random = self._behaviour, self._random
        if behaviour.is_out(monotonic() - self._network.began):
            return None
        await asyncio.sleep(behaviour.delay(random))
        if random.random() < behaviour.silence:
            await asyncio.sleep(SILENT)
            return None
        passed = {name.decode(): value.decode() for name, value in headers.items() if name in PASSED}
        passed |= {"x-client-certificate": quote(certificate), "x-forwarded-for": self._network.address_of(certificate)}
        times = 2 if random.random() < behaviour.duplicates else 1
        try:
            answers = await asyncio.gather(*(self._network.pass_on(self._gateway, body, passed) for _ in range(times)))
        except httpx.HTTPError:
            return None
        return None if random.random() < behaviour.lost_answers else _written(answers[0])


async def _read(reader: asyncio.StreamReader) -> tuple[dict[bytes, bytes], bytes] | None:
    """The headers and the body of a request; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = [line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line]
    headers = {name.strip().lower(): value.strip() for name, value in lines}
    length = int(headers.get(b"content-length", b"0"))
    return headers, await reader.readexactly(min(length, MAX_BODY))


def _written(answer: httpx.Response) -> bytes:
    kept = "".join(f"{name}: {answer.headers[name]}\r\n" for name in ("content-type", "retry-after") if name in answer.headers)
    head = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\r\n{kept}content-length: {len(answer.content)}\r\n\r\n"
    return head.encode() + answer.content


class Network:
    """The connections to the gateways. `began`: when the network was started (monotonic seconds)."""

    def __init__(self, pinned: Sequence[x509.Certificate]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust_only(context, pinned)
        limits = httpx.Limits(max_connections=400)
        self._client = httpx.AsyncClient(verify=context, trust_env=False, timeout=60, limits=limits)
        self._senders: list[str] = []
        self.began = monotonic()

    async def pass_on(self, gateway: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """The answer of a gateway to one message. Raises httpx.HTTPError."""
        return await self._client.post(gateway, content=body, headers=headers)

    def address_of(self, certificate: str) -> str:
        """An address for each sender, because a gateway limits the messages of one address."""
        if certificate not in self._senders:
            self._senders.append(certificate)
        return f"127.0.1.{self._senders.index(certificate) + 1}"


async def serve(configuration: dict[str, Any], behaviour: Mapping[str, Behaviour], pinned: Sequence[x509.Certificate]) -> None:
    """Serves until it is cancelled."""
    network = Network(pinned)
    for country, each in configuration["countries"].items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(each["certificate"], each["key"])
        trust_only(context, pinned)
        context.verify_mode = ssl.CERT_REQUIRED
        front = Front(behaviour[country], each["gateway"], network, country)
        await asyncio.start_server(front.connected, "127.0.0.1", each["port"], ssl=context)
    await asyncio.start_server(_alive, "127.0.0.1", configuration["port"])
    await asyncio.Event().wait()


async def _alive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    writer.close()


def main() -> None:
    """Runs until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configuration", type=Path, required=True)
    configuration = json.loads(parser.parse_args().configuration.read_bytes())
    countries, file = configuration["countries"], configuration["behaviour"]
    pinned = [x509.load_pem_x509_certificate(Path(each["certificate"]).read_bytes()) for each in countries.values()]
    asyncio.run(serve(configuration, read_behaviour(Path(file) if file else None, countries), pinned))


if __name__ == "__main__":
    main()
