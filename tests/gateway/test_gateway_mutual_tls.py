"""Mutual TLS: a gateway takes messages only from a client that presents the pinned certificate of the sender."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from services.gateway.wire.client_certificates import PartnerServer, certificate_in, is_trusted
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.messages import Document, Kind
from services.gateway.wire.opening import Opener
from services.gateway.wire.partners import Partners
from services.gateway.wire.signature import Signer
from services.gateway.wire.tls import Connections
from shared.refusals import Unavailable
from shared.settings import Settings
from tests.conftest import eventually

from .builders import MAX_BYTES, PROCESSES, TwoGateways, a_form, a_partner, a_signer, put_keys
from .test_gateway_receiving import XML, a_message

Keys = dict[str, tuple[Path, Path, Signer]]
LOCAL = "127.0.0.1"


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """TLS certificates with their keys: of the server, of a partner, and of a stranger."""
    made = {name: a_signer(name, address=LOCAL) for name in ("server", "kh", "stranger")}
    return {name: (*put_keys(tmp_path, name, signer), signer) for name, signer in made.items()}


async def served(gateways: TwoGateways, keys: Keys, proxies: str = "") -> AsyncIterator[str]:
    """The address of the gateway of VN, which has pinned the certificate `kh` for KH."""
    partner = gateways.vn.exchange._partners.rows["KH"]
    pinned = a_partner("KH", keys["kh"][2], signing_certificates=partner.signing_certificates)
    gateways.vn.exchange._partners = Partners({"KH": pinned})
    settings = Settings.model_construct(
        http_host=LOCAL,
        http_port=0,
        http_connections=20,
        tls_certificate_file=keys["server"][0],
        tls_key_file=keys["server"][1],
        trusted_proxies=proxies,
    )
    server = PartnerServer(gateways.vn.app, settings)
    running = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"https://{LOCAL}:{port}/asw/messages"
    server.stop()
    await running


@pytest.fixture
async def address(gateways: TwoGateways, keys: Keys) -> AsyncIterator[str]:
    async for each in served(gateways, keys):
        yield each


@pytest.fixture
async def proxied(gateways: TwoGateways, keys: Keys) -> AsyncIterator[str]:
    """The same gateway behind a trusted proxy."""
    async for each in served(gateways, keys, proxies=LOCAL):
        yield each


def a_client(keys: Keys, name: str | None) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=keys["server"][0])
    if name:
        context.load_cert_chain(*keys[name][:2])
    return httpx.AsyncClient(verify=context, trust_env=False)


async def test_a_message_arrives_over_mutual_tls(address: str, keys: Keys, signers: dict[str, Signer]) -> None:
    connections = Connections(*keys["kh"][:2])
    partner = a_partner("VN", signers["VN"], address=address, tls_certificates=(keys["server"][2].certificate,))
    exchange = Exchange("KH", Partners({"VN": partner}), signers["KH"], connections, MAX_BYTES, opener=Opener(PROCESSES))
    envelope = exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, datetime.now(UTC))

    assert (await exchange.send(envelope, Document(form=a_form()))).reasons == ()

    await connections.aclose()


async def test_a_client_without_a_certificate_may_only_ask_for_health(
    address: str, keys: Keys, signers: dict[str, Signer]
) -> None:
    async with a_client(keys, None) as client:
        answer = await client.post(address, content=a_message(signers["KH"]), headers=XML)
        assert (answer.status_code, answer.json()["code"]) == (403, "client_certificate_missing")
        assert (await client.get(address.replace("/asw/messages", "/live"))).status_code == 200


async def test_the_handshake_refuses_a_certificate_that_is_not_pinned(
    address: str, keys: Keys, signers: dict[str, Signer]
) -> None:
    async with a_client(keys, "stranger") as client:
        with pytest.raises(httpx.HTTPError):
            await client.post(address, content=a_message(signers["KH"]), headers=XML)


async def test_a_server_whose_certificate_is_not_pinned_gets_no_message(
    address: str, keys: Keys, signers: dict[str, Signer]
) -> None:
    connections = Connections(*keys["kh"][:2])
    partner = a_partner("VN", signers["VN"], address=address, tls_certificates=(keys["stranger"][2].certificate,))
    exchange = Exchange("KH", Partners({"VN": partner}), signers["KH"], connections, MAX_BYTES, opener=Opener(PROCESSES))
    envelope = exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, datetime.now(UTC))

    with pytest.raises(Unavailable, match="cannot be reached"):
        await exchange.send(envelope, Document(form=a_form()))

    await connections.aclose()


def header_of(signer: Signer) -> dict[str, str]:
    return {"x-client-certificate": quote(signer.certificate.public_bytes(Encoding.PEM))}


async def test_the_header_of_a_trusted_proxy_names_the_certificate(
    proxied: str, keys: Keys, signers: dict[str, Signer]
) -> None:
    async with a_client(keys, None) as client:
        for name, status in (("kh", 200), ("stranger", 403)):
            headers = XML | header_of(keys[name][2])
            answer = await client.post(proxied, content=a_message(signers["KH"]), headers=headers)
            assert answer.status_code == status


async def test_the_header_of_anyone_else_is_ignored(address: str, keys: Keys, signers: dict[str, Signer]) -> None:
    async with a_client(keys, None) as client:
        headers = XML | header_of(keys["kh"][2])
        answer = await client.post(address, content=a_message(signers["KH"]), headers=headers)
    assert answer.json()["code"] == "client_certificate_missing"


async def test_the_certificate_of_one_partner_does_not_carry_messages_of_another(
    gateways: TwoGateways, signers: dict[str, Signer]
) -> None:
    other = a_signer("TH")
    exchange = gateways.vn.exchange
    exchange._partners = Partners(dict(exchange._partners.rows) | {"TH": a_partner("TH", other)})
    der = other.certificate.public_bytes(Encoding.DER)
    with pytest.raises(Exception, match="client_certificate_of_another"):
        await exchange.open("application/xml", one(a_message(signers["KH"])), "", der)


async def test_an_expired_certificate_is_refused_behind_a_proxy_too(gateways: TwoGateways, signers: dict[str, Signer]) -> None:
    old = a_signer("KH", lasts=timedelta(days=10))
    exchange = gateways.vn.exchange
    exchange._partners = Partners({"KH": a_partner("KH", signers["KH"], tls_certificates=(old.certificate,))})
    with pytest.raises(Exception, match="client_certificate_unknown"):
        await exchange.open("application/xml", one(a_message(signers["KH"])), "", old.certificate.public_bytes(Encoding.DER))


async def one(body: bytes) -> AsyncIterator[bytes]:
    yield body


@pytest.mark.parametrize(
    ("proxies", "peer", "trusted"),
    [
        ("", "10.0.0.1", False),
        ("*", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.0/8, 192.0.2.1", "10.9.9.9", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("proxy", "10.0.0.2", False),
        ("10.0.0.1", None, False),
    ],
)
def test_a_proxy_is_trusted_by_its_address(proxies: str, peer: str | None, trusted: bool) -> None:
    assert is_trusted(proxies, (peer, 1) if peer else None) is trusted


@pytest.mark.parametrize("value", [b"", b"rubbish", b"%", b"x" * 10_000])
def test_a_header_that_holds_no_certificate_counts_as_none(value: bytes) -> None:
    assert certificate_in([(b"x-client-certificate", value)]) is None
