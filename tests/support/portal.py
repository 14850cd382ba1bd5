"""The portal with the real handlers of the other services behind it, in one process and without a bus.

A request goes straight to its handler; afterwards events and tasks are handled until nothing is left. People use it by pages.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from lxml import html
from sqlalchemy import select

from services.certificates.handlers import router as certificates
from services.fees.handlers import router as fees
from services.fees.tariffs import tools as fees_tools
from services.gateway.handlers import router as gateway
from services.gateway.settings import data as gateway_data
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.partners import Partners
from services.portal.bus import Bus
from services.portal.handlers import router as portal
from services.portal.live import Changes
from services.portal.routes import routes
from services.portal.settings import PREFIX, PortalSettings
from shared.bus.client import AskRefused
from shared.contracts.certificates.issuing import Consignment, DraftCertificate
from shared.contracts.certificates.products import ApproveProduct, RegisterProduct
from shared.contracts.index import events, events_heard_by, owner_of
from shared.contracts.messages import Refusal, Request
from shared.contracts.registry.registrations import RegistrationApproved
from shared.database.tables import outbox
from shared.handling.router import Router
from shared.runtime.http_server import application
from shared.security import revocations, signing_keys
from shared.web.site import Site
from tests.certificates.keys import certificate_tools
from tests.gateway.builders import a_signer
from tests.registry.people import Human, a_registry, an_officer, somebody_of_a_company, the_administrator
from tests.support.service_under_test import PHNOM_PENH, ServiceUnderTest, a_health_check, a_person, a_service_under_test
from tests.support.software_passkey import ORIGIN

MAX_MESSAGE = 4 * 1024 * 1024
SERVICES = Path(__file__).parents[2] / "services"


@dataclass
class System:
    """The services, and who has signed in to them."""

    services: dict[str, ServiceUnderTest]
    http: httpx.ASGITransport
    administrator: Human
    seen: dict[str, int] = field(default_factory=dict)
    without: set[str | UUID] = field(default_factory=set)
    """Services that do not answer, and ids about which nobody answers."""

    @property
    def registry(self) -> ServiceUnderTest:
        """The service that knows people."""
        return self.services["registry"]

    async def ask(self, request: Request, *, token: str | None = None, step_up: str | None = None, **_: Any) -> Any:
        """What `BusClient.ask` does, without a bus."""
        owner = owner_of(type(request))
        if self.without & {owner, getattr(request, type(request).about or "", None)}:
            raise TimeoutError
        body = request.model_dump_json().encode()
        answer = await self.services[owner].ask_raw(type(request), body, token, step_up)
        if isinstance(answer, Refusal):
            raise AskRefused(answer)
        await self.settle()
        return answer

    async def __aexit__(self, *_: object) -> None:
        """Ends nothing."""

    async def settle(self) -> None:
        """Handles events and tasks until nothing is left. The tasks of the gateway need partners, so they stay."""
        while True:
            for name, service in self.services.items():
                if name not in ("gateway", "portal"):
                    await service.do_tasks()
            if not [await self._deliver(name, service) for name, service in self.services.items() if await self._has_new(name)]:
                return

    async def _has_new(self, name: str) -> bool:
        return bool(await self._new(name))

    async def _new(self, name: str) -> list[Any]:
        new = select(outbox).where(outbox.c.id > self.seen.get(name, 0)).order_by(outbox.c.id)
        async with self.services[name].context.database.reading() as session:
            return list((await session.execute(new)).all())

    async def _deliver(self, name: str, service: ServiceUnderTest) -> None:
        by_subject = {event.subject: event for event in events()}
        for row in await self._new(name):
            self.seen[name] = row.id
            kind = by_subject[row.subject]
            for listener, other in self.services.items():
                if kind in events_heard_by(listener) and kind in other.router.events:
                    await other.receive(kind.model_validate_json(row.body))

    def browser(self, language: str = "en") -> "Browser":
        """A new browser."""
        client = httpx.AsyncClient(
            transport=self.http, base_url="http://portal.test", headers={"accept-language": language}, follow_redirects=True
        )
        return Browser(self, client)

    async def signed_in(self, human: Human, language: str = "en") -> "Browser":
        """A browser in which this person has signed in by the pages."""
        browser = self.browser(language)
        await browser.get("/sign-in")
        await browser.send("sign-in", email=human.email, password=human.password)
        if human.totp is not None:
            human.later()
            await browser.send("sign-in/code", code=human.code())
            human.later()
        return browser

    async def officer(self, *roles: str, office: str = "PNH") -> Human:
        """An officer with a second factor."""
        found = await an_officer(self.registry, self.administrator, *roles, office=office)
        await self.settle()
        return found

    async def exporter(self, *roles: str, company: UUID | None = None) -> Human:
        """A person of a registered company. Without roles: the administrator, who is preparer and signatory too."""
        exporter_id = company or uuid4()
        every = ("company_administrator", "preparer", "signatory")
        human = await somebody_of_a_company(self.registry, *(roles or every), company=exporter_id)
        if company is None:
            await self.registered(exporter_id)
        await self.settle()
        return human

    async def registered(self, exporter_id: UUID, name: str = "Angkor Rice Mills Co., Ltd.") -> None:
        """The other services hear that a company is registered."""
        today = self.registry.context.clock.today()
        approved = RegistrationApproved(
            exporter_id=exporter_id,
            name=name,
            address="Street 271, Phnom Penh",
            valid_from=today,
            valid_until=today.replace(year=today.year + 1),
            version=1,
            occurred_at=self.registry.clock.now(),
        )
        for service in ("certificates", "fees"):
            if RegistrationApproved in self.services[service].router.events:
                await self.services[service].receive(approved)

    async def product(self, human: Human, *, approved: bool = True, **changes: Any) -> UUID:
        """A product of a person's company."""
        assert human.session
        product_id, reviewer = uuid4(), a_person("reviewer")
        values: dict[str, Any] = {
            "product_id": product_id,
            "exporter_id": human.session.organisation,
            "description": "Fragrant rice, Phka Rumduol, in bags of 50 kg",
            "hs_code": "10063040",
            "criterion": {"kind": "WO"},
        }
        await self.ask(RegisterProduct.model_validate(values | changes), token=human.session.token)
        if approved:
            service = self.services["certificates"]
            await self.ask(ApproveProduct(product_id=product_id), token=service.token_of(reviewer))
        return product_id

    async def certificate(self, human: Human, product_id: UUID, **changes: Any) -> UUID:
        """A draft of a person's company."""
        assert human.session
        certificate_id = uuid4()
        command = DraftCertificate(
            certificate_id=certificate_id,
            exporter_id=human.session.organisation,
            consignment=Consignment.model_validate(a_consignment(product_id) | changes),
        )
        await self.ask(command, token=human.session.token)
        return certificate_id


def a_consignment(product_id: UUID) -> dict[str, Any]:
    """A consignment with one item."""
    item = {
        "product_id": product_id,
        "hs_code": "10063040",
        "marks": "ARM 1-500",
        "packages": 500,
        "package_kind": "bags",
        "quantity": "25000",
        "unit": "KGM",
        "gross_weight_kg": "25100",
        "fob": {"amount": "18500.00", "currency": "USD"},
        "invoice_number": "ARM-2026-117",
        "invoice_date": "2026-11-20",
        "manufacturer": "Angkor Rice Mill Co., Ltd.",
    }
    return {
        "office": "PNH",
        "destination": "MY",
        "consignee": {"name": "Kuala Trading Sdn. Bhd.", "address": "12 Jalan Ampang, Kuala Lumpur"},
        "transport": {"departure_date": "2026-12-01", "vessel": "MV Mekong 12", "port_of_discharge": "Port Klang"},
        "items": [item],
    }


@dataclass
class Browser:
    """A browser without JavaScript: opens pages, and sends the forms on them."""

    system: System
    http: httpx.AsyncClient
    response: httpx.Response | None = None

    @property
    def page(self) -> Any:
        """The present page."""
        assert self.response is not None
        return html.document_fromstring(self.response.text)

    @property
    def text(self) -> str:
        """The text of the present page, without its header and footer."""
        return " ".join(self.page.get_element_by_id("content").text_content().split())

    @property
    def path(self) -> str:
        """The address of the present page."""
        assert self.response is not None
        return self.response.url.path

    async def get(self, path: str) -> str:
        """Opens a page of the portal; returns its text."""
        self.response = await self.http.get(path if path.startswith(PREFIX) else f"{PREFIX}{path}")
        return self.text

    def form(self, action: str) -> Any:
        """The form on the page whose address ends like this."""
        found = [form for form in self.page.forms if (form.action or self.path).split("?")[0].endswith(action)]
        assert found, f"no form for {action}; there are {[form.action for form in self.page.forms]}"
        return found[0]

    async def send(self, action: str, files: Mapping[str, Any] | None = None, **fields: Any) -> str:
        """Sends a form with some fields changed; returns the text of the next page. A dot in a name is written `__`."""
        form = self.form(action)
        values: dict[str, Any] = {}
        for name, value in form.form_values():
            values[name] = [*values[name], value] if isinstance(values.get(name), list) else value
        values |= {name.replace("__", "."): value for name, value in fields.items()}
        values = {name: value for name, value in values.items() if value is not None}
        self.response = await self.http.post(form.action or self.path, data=values, files=files)
        return self.text


@asynccontextmanager
async def a_system(root: Path, public: str = "", origin: str = ORIGIN) -> AsyncIterator[System]:
    """Registry with its first administrator, certificates, fees, gateway, and the portal in front of them.

    `public`: the address of the public site. `origin`: the portal's, where passkeys are used.
    """
    async with AsyncExitStack() as stack:
        registry = await stack.enter_async_context(a_registry(root, origin=origin))
        await registry.do_tasks()
        services = {"registry": registry}
        for name, router, tools in (
            ("certificates", certificates, certificate_tools()),
            ("fees", fees, fees_tools(None)),  # type: ignore[arg-type]
            (
                "gateway",
                gateway,
                (Exchange("KH", Partners({}), a_signer("KH"), None, MAX_MESSAGE), *gateway_data()),
            ),  # type: ignore[arg-type]
        ):
            made = a_service_under_test(name, _with_plumbing(router), root, *tools)
            services[name] = await stack.enter_async_context(made)
        settings = PortalSettings.model_construct(zone=PHNOM_PENH, secure_cookies=False, public_address="", country="KH")
        site = Site(SERVICES / "portal", PHNOM_PENH, prefix=PREFIX, links={"public": public})
        system = System(services, httpx.ASGITransport(None), Human(registry, ""))  # type: ignore[arg-type]

        async def connect() -> System:
            return system

        front = await stack.enter_async_context(
            a_service_under_test("portal", portal, root, settings, site, Changes(), Bus(connect), a_health_check())
        )
        services["portal"] = front
        for service in services.values():
            service.clock = service.context.clock = registry.clock
        system.http.app = application(front.context, routes)
        system.administrator = await the_administrator(registry)
        await system.settle()
        yield system


def _with_plumbing(router: Router) -> Router:
    """The handlers of a service, with those of keys and revocations that each service has."""
    both = Router()
    for each in (router, revocations.router, signing_keys.router):
        both.include(each)
    return both
