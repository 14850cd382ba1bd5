"""Certificates, fees, gateway and tracking in one process, without a bus: events are carried from each outbox to the inboxes.

A life here takes the way through the handlers that it takes in a running system, so its rows are those of a real one. Only
the partner is missing: the steps of a transmission are added as the receipt and the response of a partner add them.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import nkeys
from opentelemetry.trace import SpanKind
from sqlalchemy import delete, make_url, select, update

import services.tracking
from services.certificates.handlers import router as certificates
from services.fees.handlers import router as fees
from services.fees.tariffs import Tariffs
from services.gateway import store as gateway_store
from services.gateway.domain import Step
from services.gateway.handlers import router as gateway
from services.gateway.handlers.sending import advance
from services.gateway.settings import data as gateway_data
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.partners import Partners
from services.gateway.wire.tls import Connections
from services.tracking.certificate_pages import CertificatePages
from services.tracking.data_files import DataFiles
from services.tracking.figures import Figures
from services.tracking.handlers import router as tracking
from services.tracking.limits import Limits
from services.tracking.live import Watching
from services.tracking.look_ups import LookUps
from services.tracking.verifying import Uploads
from shared.audit_log.sealing import SealingKey
from shared.contracts.certificates.issuing import (
    ApproveCertificate,
    Consignee,
    Consignment,
    DraftCertificate,
    Fob,
    Item,
    RejectCertificate,
    ReviewCertificate,
    SubmitCertificate,
    Transport,
)
from shared.contracts.certificates.products import ApproveProduct, ClaimedCriterion, CriterionKind, RegisterProduct
from shared.contracts.fees import GetInvoice, InvoiceState, RecordPayment
from shared.contracts.gateway.transmissions import StatusCode
from shared.contracts.index import events
from shared.contracts.messages import Event, OperatorRequest, Refusal, Request, subject_of
from shared.contracts.registry.registrations import RegistrationApproved
from shared.database.tables import inbox, outbox, tasks
from shared.handling.actor import Actor
from shared.handling.router import Router
from shared.handling.work import ServiceContext
from shared.observability.tracing import span, traceparent
from shared.runtime.replica import PLUMBING
from shared.web.site import Site
from tests.certificates.keys import certificate_tools
from tests.gateway.builders import a_signer
from tests.support.service_under_test import (
    PHNOM_PENH,
    ServiceUnderTest,
    a_health_check,
    a_person,
    a_service_under_test,
    migrated_copy,
)

NAMES = ("certificates", "fees", "gateway", "tracking")
MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""When the first act of a life is done: 9 o'clock in Phnom Penh."""
EVENTS = {event.subject: event for event in events()}
REVIEWER, APPROVER, CASHIER = a_person("reviewer"), a_person("approver"), a_person("cashier")

KINDS = ("received", "refused", "rejected", "approved", "reviewed", "submitted", "draft")
"""How a life ends: by customs (`refused`: NOT), by an officer (`rejected`), or where the certificate still waits."""


class Unexpected(Exception):
    """A request was refused."""


@dataclass
class InProcess:
    """The four services on databases in one folder, and one company with a product."""

    services: Mapping[str, ServiceUnderTest]
    exporter_id: UUID = field(default_factory=uuid4)
    product_id: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.exporter = a_person("preparer", "signatory", organisation=self.exporter_id)

    def at(self, instant: datetime) -> None:
        """Sets the clocks of all services."""
        for service in self.services.values():
            service.clock.instant = instant

    def later(self, **lasts: int) -> None:
        """Sets the clocks forward."""
        self.at(self.services["certificates"].clock.instant + timedelta(**lasts))

    async def ask(self, service: str, request: Request, person: Actor) -> Any:
        """The answer. Raises Unexpected if the request is refused."""
        answer = await self.services[service].ask(request, person)
        if isinstance(answer, Refusal):
            raise Unexpected(f"{type(request).__name__}: {answer.code}: {answer.detail}")
        return answer

    async def ask_operator(self, service: str, question: OperatorRequest) -> Any:
        """The answer to an operator. Raises Unexpected if the request is refused."""
        answer = await self.services[service].ask(question)
        if isinstance(answer, Refusal):
            raise Unexpected(f"{type(question).__name__}: {answer.code}: {answer.detail}")
        return answer

    async def carry(self) -> None:
        """Sends the events of each outbox to the services that listen, until none is left."""
        while sum([await self._carry_from(service) for service in self.services.values()]):
            pass

    async def _carry_from(self, sender: ServiceUnderTest) -> int:
        unsent = select(outbox).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id)
        async with sender.work() as work:
            rows = (await work.session.execute(unsent)).all()
            sent = update(outbox).where(outbox.c.id.in_([row.id for row in rows]))
            await work.session.execute(sent.values(sent_at=work.now, claimed_until=work.now + timedelta(seconds=10)))
        for row in rows:
            event = EVENTS[row.subject].model_validate_json(row.body)
            for listener in sorted(type(event).listeners & self.services.keys()):
                await _receive(self.services[listener], row, event)
        return len(rows)

    async def begin(self, now: datetime = MORNING) -> None:
        """The company is registered, and its product approved."""
        self.at(now)
        approved = RegistrationApproved(
            exporter_id=self.exporter_id,
            name="Angkor Garment Co., Ltd.",
            address="12 Street 271, Phnom Penh",
            valid_from=date(2025, 1, 1),
            valid_until=date(2027, 12, 31),
            version=2,
            occurred_at=now,
        )
        for name in ("certificates", "fees"):
            await self.services[name].receive(approved)
        product = RegisterProduct(
            product_id=self.product_id,
            exporter_id=self.exporter_id,
            description="T-shirts, knitted, of cotton, for women and girls",
            hs_code="61091010",
            criterion=ClaimedCriterion(kind=CriterionKind.RVC, percentage=Decimal("45")),
        )
        await self.ask("certificates", product, self.exporter)
        await self.ask("certificates", ApproveProduct(product_id=self.product_id), REVIEWER)
        await self.carry()

    def draft(self, exporter_id: UUID | None = None, product_id: UUID | None = None) -> DraftCertificate:
        """A command that drafts a certificate, of this company or another one."""
        today = self.services["certificates"].clock.today()
        return DraftCertificate(
            certificate_id=uuid4(),
            exporter_id=exporter_id or self.exporter_id,
            consignment=_consignment(product_id or self.product_id, today),
        )

    async def live(self, kind: str = "received") -> UUID:
        """Takes a new certificate as far as its kind says (one of `KINDS`). Returns its id."""
        draft = self.draft()
        await self.ask("certificates", draft, self.exporter)
        if kind != "draft":
            await self._submitted(draft.certificate_id, kind)
        self.later(minutes=1)
        return draft.certificate_id

    async def _submitted(self, certificate_id: UUID, kind: str) -> None:
        self.later(minutes=10)
        await self.ask("certificates", SubmitCertificate(certificate_id=certificate_id), self.exporter)
        await self.carry()
        if kind == "submitted":
            return
        self.later(minutes=50)
        if kind == "rejected":
            rejection = RejectCertificate(certificate_id=certificate_id, reason="The goods do not originate.")
            await self.ask("certificates", rejection, APPROVER)
            await self.carry()
            return
        worksheet = "Documents agree; the goods originate by the criterion approved for the product."
        await self.ask("certificates", ReviewCertificate(certificate_id=certificate_id, worksheet=worksheet), REVIEWER)
        await self.carry()
        if kind == "reviewed":
            return
        self.later(minutes=20)
        await self.ask("certificates", ApproveCertificate(certificate_id=certificate_id), APPROVER)
        await self.carry()
        if kind != "approved":
            await self._paid(certificate_id)
            await self._arrived(certificate_id, kind)

    async def _paid(self, certificate_id: UUID) -> None:
        self.later(minutes=15)
        invoice: InvoiceState = await self.ask("fees", GetInvoice(certificate_id=certificate_id), CASHIER)
        payment = RecordPayment(
            certificate_id=certificate_id,
            amount_khr=invoice.amount_khr,
            slip_number=f"SLIP-{uuid4().hex[:12].upper()}",
            paid_on=self.services["fees"].clock.today(),
        )
        await self.ask("fees", payment, CASHIER)
        await self.carry()
        await self.services["certificates"].do_tasks()
        await self.carry()

    async def _arrived(self, certificate_id: UUID, kind: str) -> None:
        """The partner's gateway sends the receipt, and its customs decide."""
        at = self.services["gateway"].clock
        async with self.services["gateway"].work() as work:
            transmission = (await gateway_store.transmissions_of(work, certificate_id))[-1]
            work.is_about("certificate", certificate_id)
            country = transmission.destination
            advance(transmission, Step(StatusCode.AS2, at.instant + timedelta(seconds=1), country), work)
            decided = at.instant + timedelta(minutes=2)
            if kind == "refused":
                detail = "The HS code is not recognised."
                advance(transmission, Step(StatusCode.NOT, decided, country, ["hs_code_not_recognised"], detail), work)
            else:
                advance(transmission, Step(StatusCode.REC, decided, country), work)
            await work.session.execute(delete(tasks))
        self.later(minutes=3)
        await self.carry()


@asynccontextmanager
async def in_process(
    folder: Path, files: Mapping[str, Path] | None = None, urls: Mapping[str, str] | None = None
) -> AsyncIterator[InProcess]:
    """The four services on new SQLite databases in a folder, `NAME.db`, or on the given ones, also by their addresses."""
    urls = urls or {name: f"sqlite:///{file}" for name, file in (files or {}).items()}
    async with AsyncExitStack() as stack:
        exchange = Exchange("KH", Partners({}), a_signer("KH"), Connections(None, None), 1024 * 1024)
        data = DataFiles()
        site = Site(Path(services.tracking.__path__[0]), PHNOM_PENH, links={"telegram": "", "portal": ""})
        parts: tuple[tuple[str, Router, tuple[object, ...]], ...] = (
            ("certificates", certificates, tuple(certificate_tools())),
            ("fees", fees, (Tariffs.load(),)),
            ("gateway", gateway, (exchange, *gateway_data())),
            (
                "tracking",
                tracking,
                (data, Limits(), Uploads(), Watching(), Figures(data), LookUps(), CertificatePages(data), site),
            ),
        )
        running = {}
        for name, router, tools in parts:
            complete = Router()
            for part in (*(module.router for module in PLUMBING), router):
                complete.include(part)
            of_plumbing = (complete, SealingKey(new_key()), a_health_check())
            made = a_service_under_test(name, complete, folder, *tools, *of_plumbing, now=MORNING, database_url=urls.get(name))
            running[name] = await stack.enter_async_context(made)
        yield InProcess(running)


def new_databases(folder: Path) -> dict[str, Path]:
    """Creates empty databases of the four services in a folder."""
    return {name: Path(cast(str, make_url(migrated_copy(name, folder / f"{name}.db")).database)) for name in NAMES}


def new_key() -> nkeys.KeyPair:
    """A key of a user of the bus."""
    return nkeys.from_seed(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))


async def _receive(listener: ServiceUnderTest, sent: Any, event: Event) -> None:
    """What the consumer of events does with one event: its row of the inbox, and its effect."""
    found = subject_of(event)
    row = {
        "event_id": sent.event_id,
        "subject": event.subject,
        "about": found[1] if found and isinstance(found[1], UUID) else None,
        "traceparent": sent.traceparent,
        "received_at": listener.clock.now(),
    }
    context: ServiceContext = listener.context
    with span(f"on {type(event).__name__}", under=sent.traceparent, kind=SpanKind.CONSUMER) as opened:
        async with context.work(opened) as work:
            if await work.insert_new(inbox, [row | {"traceparent": sent.traceparent or traceparent()}]):
                work.begin(event, opened)
                await listener.router.events[type(event)](event, work)


def _consignment(product_id: UUID, today: date) -> Consignment:
    items = [
        Item(
            product_id=product_id,
            hs_code="61091010",
            marks=f"SAT / {number} / 1-100",
            packages=100 + number,
            package_kind="cartons",
            quantity=Decimal("5000"),
            unit="PCS",
            gross_weight_kg=Decimal("1250.5"),
            fob=Fob(amount=Decimal("18750.00"), currency="USD"),
            invoice_number="INV-2026-0417",
            invoice_date=today - timedelta(days=2),
            manufacturer="Angkor Garment Co., Ltd.",
        )
        for number in (1, 2)
    ]
    return Consignment(
        office="PNH",
        destination="VN",
        consignee=Consignee(name="Saigon Apparel Trading Co., Ltd.", address="12 Le Loi, Ho Chi Minh City"),
        transport=Transport(departure_date=today + timedelta(days=3), vessel="MEKONG STAR 7", port_of_discharge="CAT LAI"),
        items=tuple(items),
    )
