"""What must cost the same however much is stored: requests, pages, lists, searches, daily tasks, questions of an operator."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import UUID

from bench.filled import Filled
from bench.in_process import CASHIER, NAMES, REVIEWER
from services.tracking.data_files import DataFiles
from services.tracking.figures import service_figures
from shared.audit_log.sealing import SealActs
from shared.contracts.audit_log import FindActs, ListSeals
from shared.contracts.certificates.content import CopyCertificate, GetCertificateContent, GetCertificateHistory
from shared.contracts.certificates.issuing import CertificateStatus, GetCertificate
from shared.contracts.certificates.lists import (
    CertificateOrder,
    CountCertificates,
    ListCertificates,
    ListConsignees,
    ListProducts,
)
from shared.contracts.fees import GetInvoice, ListInvoices
from shared.contracts.gateway.transmissions import GetTransmission, ListTransmissions
from shared.contracts.messages import Request
from shared.contracts.operations import AskDigest, AskLag
from shared.handling.actor import Actor
from shared.operations.retention import Prune
from tests.support.service_under_test import a_person

Call = Callable[[int], Awaitable[object]]
"""Does something once. The number chooses what it is about."""

AUDITOR = a_person("auditor")
CONSIGNEE, COMPANY, RARE = "lotus silk", "Merlion", "java rice 00000"
"""Parts of names for which people search. The filler has consignees and companies with them."""


def hot(filled: Filled) -> dict[str, Call]:
    """The three things that everything else is compared with: a question, a command and a public page."""
    services, certificates, products = filled.services, filled.certificates, filled.products

    async def question(number: int) -> None:
        row = certificates[number % len(certificates)]
        await services["certificates"].send(
            GetCertificate(certificate_id=UUID(row["certificate_id"])), filled.person(row["exporter_id"])
        )

    async def command(number: int) -> None:
        row = products[number % len(products)]
        draft = filled.running.draft(UUID(row["exporter_id"]), UUID(row["product_id"]))
        await services["certificates"].send(draft, filled.person(row["exporter_id"]))

    async def public_page(number: int) -> None:
        await filled.page(f"/certificates/{certificates[number % len(certificates)]['reference']}")

    return {"question": question, "command": command, "public_page": public_page}


def lists(filled: Filled) -> dict[str, Call]:
    """The pages, searches and counts of an exporter, an officer and a cashier."""
    own, last, issued = filled.largest, filled.last_page, (CertificateStatus.ISSUED,)
    waiting = (CertificateStatus.SUBMITTED, CertificateStatus.REVIEWED)
    of_company: Mapping[str, Request] = {
        "first page": ListCertificates(),
        "last page": ListCertificates(after=filled.last_page_of_largest),
        "search for a consignee": ListCertificates(search=CONSIGNEE),
        "search for nothing": ListCertificates(search="nobody has this name"),
        "issued": ListCertificates(statuses=issued),
        "counts": CountCertificates(),
        "consignees": ListConsignees(exporter_id=own),
        "products": ListProducts(),
    }
    of_officer: Mapping[str, Request] = {
        "first page": ListCertificates(),
        "last page": ListCertificates(after=last),
        "queue of an office": ListCertificates(office="PNH", statuses=waiting, order=CertificateOrder.LONGEST_WAITING),
        "unpaid": ListCertificates(unpaid=True),
        "issued of an office": ListCertificates(office="SHV", statuses=issued),
        "search for a number": ListCertificates(search="D2026-PNH-00001"),
        "search for many consignees": ListCertificates(search=CONSIGNEE),
        "search for a consignee": ListCertificates(search=RARE),
        "search for companies": ListCertificates(search=COMPANY),
        "search for nothing": ListCertificates(search="nobody has this name"),
        "counts": CountCertificates(),
        "counts of an office": CountCertificates(office="PNH"),
        "search for a product": ListProducts(search="t-shirts"),
    }
    of_fees: Mapping[str, Request] = {
        "first page": ListInvoices(),
        "last page": ListInvoices(after=filled.last_invoices),
        "unpaid": ListInvoices(settled=False),
        "search for a reference": ListInvoices(search="7KQ2M"),
        "search for companies": ListInvoices(search=COMPANY),
        "search for nothing": ListInvoices(search="nobody has this name"),
    }
    company = filled.person(own)
    found = {f"exporter: {name}": _asks(filled, "certificates", request, company) for name, request in of_company.items()}
    found |= {f"officer: {name}": _asks(filled, "certificates", request, REVIEWER) for name, request in of_officer.items()}
    found |= {f"cashier: {name}": _asks(filled, "fees", request, CASHIER) for name, request in of_fees.items()}
    found |= {
        "exporter: invoices": _asks(filled, "fees", ListInvoices(), company),
        "exporter: transmissions": _asks(filled, "gateway", ListTransmissions(), company),
        "officer: transmissions": _asks(filled, "gateway", ListTransmissions(), REVIEWER),
        "officer: open transmissions": _asks(filled, "gateway", ListTransmissions(open=True), REVIEWER),
        "officer: transmissions to a country": _asks(filled, "gateway", ListTransmissions(destination="MY"), REVIEWER),
    }
    return found | _of_one(filled)


def _of_one(filled: Filled) -> dict[str, Call]:
    """Questions about one certificate."""
    kinds: Mapping[str, tuple[str, type[Request]]] = {
        "content": ("certificates", GetCertificateContent),
        "history": ("certificates", GetCertificateHistory),
        "copy": ("certificates", CopyCertificate),
        "invoice": ("fees", GetInvoice),
        "transmission": ("gateway", GetTransmission),
    }

    def about_one(service: str, kind: type[Request]) -> Call:
        async def ask(number: int) -> None:
            row = filled.certificates[number % len(filled.certificates)]
            request = kind.model_validate({"certificate_id": row["certificate_id"]})
            await filled.services[service].send(request, filled.person(row["exporter_id"]))

        return ask

    return {f"one certificate: {name}": about_one(*kind) for name, kind in kinds.items()}


def operating(filled: Filled) -> dict[str, Call]:
    """What an operator and a monitor ask, and the figures of the public site."""
    act = FindActs(on=str(UUID(filled.certificates[0]["certificate_id"])))
    actor = FindActs(actor=str(filled.person(filled.largest).user_id))
    now = filled.running.services["certificates"].clock.instant

    async def figures(_: int) -> None:
        async with filled.services["tracking"].service.work() as work:
            await service_figures(work, DataFiles())

    return {
        "audit log: of a certificate": _asks(filled, "certificates", act),
        "audit log: of a person": _asks(filled, "certificates", actor),
        "audit log: of a day": _asks(
            filled, "certificates", FindActs(since=now - timedelta(days=100), until=now - timedelta(days=99))
        ),
        "audit log: seals": _asks(filled, "certificates", ListSeals()),
        "lag": _asks(filled, "certificates", AskLag()),
        "public site: figures": figures,
    }


def auditing(filled: Filled) -> dict[str, Call]:
    """The digests of `co audit`, which grow with what is stored."""
    return {f"co audit: {name}": _asks(filled, name, AskDigest()) for name in NAMES}


def tasks(filled: Filled) -> dict[str, Call]:
    """The daily tasks, and the steps of a start. Each run of `retention` is a day later and deletes the rows of one day."""

    async def retention(_: int) -> None:
        filled.running.later(days=1)
        for service in filled.services.values():
            await service.do(Prune())

    async def sealing(_: int) -> None:
        await filled.services["certificates"].do(SealActs())

    async def start(_: int) -> None:
        for connected in filled.services.values():
            async with connected.service.work() as work:
                for step in connected.service.router.start:
                    await step(work)

    return {"daily: retention": retention, "daily: sealing": sealing, "start of a service": start}


def _asks(filled: Filled, service: str, request: Request, person: Actor | None = None) -> Call:
    async def ask(_: int) -> None:
        await filled.services[service].send(request, person)

    return ask
