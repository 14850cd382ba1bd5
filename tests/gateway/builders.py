"""Builders: documents, keys, and complete gateways that exchange messages in one process."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import make_url, select, update
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.handlers import router
from services.gateway.receiving import routes
from services.gateway.settings import data
from services.gateway.wire.customs import Customs
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.opening import MAX_CONCURRENT, Opener, limit_memory
from services.gateway.wire.partners import ExchangedDocuments, Partner, Partners
from services.gateway.wire.signature import Signer
from services.gateway.wire.tls import Connections
from shared.clock import Clock
from shared.contracts.certificates.documents import CertificateDocumented, DocumentItem, FormD, Money, Party
from shared.contracts.gateway.declarations import DeclaredItem, ExportDeclaration, Trader, TransportMode
from shared.contracts.gateway.transmissions import GetTransmission, TransmissionAdvanced, TransmissionState
from shared.contracts.messages import Event
from shared.database.engine import Database
from shared.database.tables import outbox, tasks
from shared.handling.actor import Actor
from shared.handling.work import ServiceContext
from shared.runtime.http_server import application
from shared.runtime.process_pool import ProcessPool
from shared.workers.tasks import TaskRunner
from tests.support.service_under_test import a_health_check

Announced = TypeVar("Announced", bound=Event)

EXPORTER = UUID("5a0f0d7e-0c59-4b33-9c55-1f6f0d0b7a01")
NOON = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
MAX_BYTES = 1024 * 1024
PROCESSES = [ProcessPool(limit_memory) for _ in range(MAX_CONCURRENT)]
"""The processes that open messages, for all tests: to start one takes a second."""


def an_item(number: int = 1, **changes: Any) -> DocumentItem:
    values: dict[str, Any] = {
        "number": number,
        "marks": "N/M",
        "packages": 120,
        "package_kind": "cartons",
        "description": "Cotton T-shirts, made by Angkor Garment Co., Ltd.",
        "hs_code": "61091010",
        "criterion": "40.125%",
        "quantity": Decimal("2400"),
        "unit": "PCS",
        "gross_weight_kg": Decimal("480.500"),
        "fob": Money(amount=Decimal("9600.00"), currency="USD"),
        "invoice_number": "AG-2026-17",
        "invoice_date": date(2026, 2, 27),
    }
    return DocumentItem(**values | changes)


def a_form(**changes: Any) -> FormD:
    values: dict[str, Any] = {
        "reference": "D2026-PNH-000123",
        "issuing_country": "KH",
        "office": "PNH",
        "issued_on": date(2026, 3, 2),
        "valid_until": date(2027, 3, 2),
        "exporter": Party(name="Angkor Garment Co., Ltd.", address="12 Street 271\nPhnom Penh", country="KH"),
        "consignee": Party(name="Sai Gon Trading JSC", address="5 Le Loi, Ho Chi Minh City"),
        "destination": "VN",
        "departure_date": date(2026, 3, 5),
        "vessel": "MV TONLE SAP 7",
        "port_of_discharge": "Cat Lai",
        "issued_retroactively": False,
        "items": (an_item(),),
    }
    return FormD(**values | changes)


def an_export_declaration(**changes: Any) -> ExportDeclaration:
    values: dict[str, Any] = {
        "reference": "XD2026-PNH-000123",
        "issuing_country": "KH",
        "destination": "VN",
        "permit_number": "ED-2026-004711",
        "exporter": Trader(name="Angkor Garment Co., Ltd.", address="12 Street 271", identifier="L001-100000027"),
        "consignee": Trader(name="Sai Gon Trading JSC", address="5 Le Loi, Ho Chi Minh City"),
        "departure_date": date(2026, 3, 5),
        "transport_mode": TransportMode.SEA,
        "port_of_discharge": "Cat Lai",
        "certificate": "D2026-PNH-000123",
        "items": (DeclaredItem(number=1, hs_code="61091010", quantity=Decimal("2400"), unit="PCS", country_of_origin="KH"),),
    }
    return ExportDeclaration(**values | changes)


def a_documented_certificate(form: FormD | None = None, **changes: Any) -> CertificateDocumented:
    values: dict[str, Any] = {
        "certificate_id": uuid4(),
        "exporter_id": EXPORTER,
        "document": form or a_form(),
        "version": 7,
        "occurred_at": NOON,
    }
    return CertificateDocumented(**values | changes)


def a_signer(country: str, *, lasts: timedelta = timedelta(days=365), address: str = "192.0.2.1") -> Signer:
    """A key on P-256 and its self-signed certificate, as each gateway has them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Gateway of {country}")])
    start = datetime.now(UTC) - timedelta(days=30)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lasts)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Signer(certificate, key)


def a_partner(country: str, signer: Signer, **changes: Any) -> Partner:
    """A partner that signs and connects with one certificate."""
    address, pinned = f"https://{country.lower()}.example/asw/messages", (signer.certificate,)
    return Partner(
        **{"country": country, "address": address, "signing_certificates": pinned, "tls_certificates": pinned} | changes
    )


def with_certificate(app: ASGIApp, signer: Signer | None) -> ASGIApp:
    """The application as a client meets it that has presented this certificate in the TLS handshake."""

    async def presented(scope: Scope, receive: Receive, send: Send) -> None:
        scope["client_certificate"] = signer and signer.certificate.public_bytes(Encoding.DER)
        await app(scope, receive, send)

    return presented


def put_keys(folder: Path, name: str, signer: Signer) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    key.write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key


@dataclass
class OneClient:
    """The same client for every partner, in place of a TLS connection."""

    client: httpx.AsyncClient

    def to(self, country: str, pinned: object) -> httpx.AsyncClient:
        return self.client

    async def aclose(self) -> None:
        await self.client.aclose()


@dataclass
class Link(httpx.AsyncBaseTransport):
    """The connection to one gateway. It can be down or slow, lose answers, or give other answers."""

    to: httpx.AsyncBaseTransport | None = None
    down: bool = False
    lost_answers: int = 0
    answers: list[httpx.Response] = field(default_factory=list)
    sent: list[tuple[bytes, httpx.Headers]] = field(default_factory=list)
    delivered: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down or self.to is None:
            raise httpx.ConnectError("connection refused", request=request)
        self.sent.append((await request.aread(), request.headers))
        if self.answers:
            return self.answers.pop(0)
        answer = await self.to.handle_async_request(request)
        self.delivered.set()
        await self.may_answer.wait()
        if self.lost_answers:
            self.lost_answers -= 1
            raise httpx.ReadError("connection reset", request=request)
        return answer


class Gateway:
    """A gateway with its own database, tasks and address, of any country."""

    def __init__(self, country: str, database: Path, signer: Signer, partners: dict[str, Partner], links: dict[str, Link]):
        self.country = country
        self.links = links
        self.customs_link = Link()
        mounts: dict[str, httpx.AsyncBaseTransport] = {f"https://{name.lower()}.example": link for name, link in links.items()}
        mounts["http://customs.example"] = self.customs_link
        client = httpx.AsyncClient(mounts=mounts)
        connections = cast(Connections, OneClient(client))
        self.database = Database(make_url(f"sqlite:///{database}"))
        self.exchange = Exchange(
            country, Partners(partners), signer, connections, MAX_BYTES, retry_pause=0, opener=Opener(PROCESSES)
        )
        customs = Customs(f"http://customs.example/{country}/documents", client)
        clock = Clock(ZoneInfo("Asia/Phnom_Penh"))
        self.context = ServiceContext(
            "gateway",
            self.database,
            clock,
            ThreadPoolExecutor(1),
            [self.exchange, customs, *data()],
        )
        self.context.add(a_health_check())
        self.app = application(self.context, routes)
        self.runner = TaskRunner(router.tasks, self.context)

    async def receive(self, event: CertificateDocumented) -> None:
        async with self.context.work(INVALID_SPAN) as work:
            await router.events[type(event)](event, work)

    async def run_due_tasks(self, *, even_if_delayed: bool = True) -> None:
        """Runs every due task once, and waits until it is done."""
        if even_if_delayed:
            async with self.database.writing() as transaction:
                await transaction.session.execute(update(tasks).values(due_at=self.context.clock.now()))
        await self.runner.begin_some()
        await self.runner.finish(30)

    async def state(self, certificate_id: UUID, actor: Actor | None = None) -> TransmissionState:
        async with self.context.reading(INVALID_SPAN) as work:
            work.act_as(actor or Actor(user_id=uuid4(), organisation=str(EXPORTER)))
            answer = await router.requests[GetTransmission](GetTransmission(certificate_id=certificate_id), work)
        assert isinstance(answer, TransmissionState)
        return answer

    async def announced(self) -> list[TransmissionAdvanced]:
        return await self.announced_of(TransmissionAdvanced)

    async def announced_of(self, kind: type[Announced]) -> list[Announced]:
        same = select(outbox.c.body).where(outbox.c.subject == kind.subject)
        async with self.database.reading() as session:
            bodies = (await session.scalars(same.order_by(outbox.c.id))).all()
        return [kind.model_validate_json(body) for body in bodies]

    async def codes(self) -> list[str]:
        return [str(event.code) for event in await self.announced()]

    async def tasks_left(self) -> list[str]:
        async with self.database.reading() as session:
            return list((await session.scalars(select(tasks.c.kind).order_by(tasks.c.id))).all())


@dataclass
class TwoGateways:
    """Two gateways, each a partner of the other."""

    kh: Gateway
    vn: Gateway

    async def run_until_idle(self) -> None:
        for _ in range(6):
            for gateway in (self.kh, self.vn):
                await gateway.run_due_tasks()
            if not await self.kh.tasks_left() and not await self.vn.tasks_left():
                return


def an_answer(status: int, body: bytes = b"") -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(body))


async def two_gateways(
    stack: AsyncExitStack,
    databases: dict[str, Path],
    signers: dict[str, Signer],
    trust: bool,
    documents: tuple[ExchangedDocuments, ...] = (ExchangedDocuments(code="acdd"),),
) -> TwoGateways:
    directory = {each: a_partner(each, signer, trust_trace=trust, documents=documents) for each, signer in signers.items()}
    gateways = {}
    for country, other in (("KH", "VN"), ("VN", "KH")):
        partners = {other: directory[other]}
        gateways[country] = Gateway(country, databases[country], signers[country], partners, {other: Link()})
        stack.push_async_callback(gateways[country].database.close)
    for country, other in (("KH", "VN"), ("VN", "KH")):
        presents = with_certificate(gateways[other].app, signers[country])
        gateways[country].links[other].to = httpx.ASGITransport(presents, raise_app_exceptions=False)
    return TwoGateways(gateways["KH"], gateways["VN"])
