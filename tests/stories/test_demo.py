"""What the demo leaves in the portal, on a complete system of its own."""

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from cli.demo.accounts import Mailbox
from cli.demo.contents import Contents
from cli.demo.journeys import ZONE
from cli.demo.people import Person
from cli.demo.received import ANNOUNCER, announce_documents
from cli.demo.sign_ins import COMPANY_PEOPLE, OFFICERS, SignIns
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.certificates.lists import CertificateCounts, CountCertificates, ListProducts
from shared.contracts.certificates.products import ProductStatus
from shared.contracts.fees import ListInvoices
from shared.contracts.gateway.received import ListReceivedDocuments
from shared.contracts.registry.registration_lists import ListRegistrations
from tests.conftest import eventually
from tests.stories.conftest import RunningSystem, a_running_system


async def leave(system: RunningSystem, sign_ins: SignIns) -> Counter[str]:
    mailbox, today = Mailbox(system.stack.mail_dir), datetime.now(ZONE).date()
    return await Contents(system.portal, system.ministry, sign_ins, mailbox, today).make(lambda step: None)


@pytest.mark.slow
async def test_the_demo_leaves_people_who_can_sign_in_and_fills_every_page_once(tmp_path: Path) -> None:
    async with a_running_system(tmp_path / "system", ("VN",)) as system:
        sign_ins = SignIns.under(tmp_path)
        sign_ins.make()
        left = await leave(system, sign_ins)
        assert await leave(system, sign_ins) == left  # a run that continues doubles nothing

        bus = system.portal
        people = {each.name: await Person.sign_in(bus, sign_ins.account(each.name)) for each in (*COMPANY_PEOPLE, *OFFICERS)}
        counts: CertificateCounts = await people["auditor"].ask(CountCertificates())
        assert left.total() == sum(counts.by_status.values()) >= 40
        assert {status for status, number in counts.by_status.items() if number} == set(CertificateStatus)
        assert counts.unpaid
        assert counts.held
        assert (await people["reviewer"].ask(CountCertificates())).mine

        products = (await people["preparer"].ask(ListProducts())).products
        assert {product.status for product in products} == set(ProductStatus) - {ProductStatus.RENEWING}
        assert (await people["cashier"].ask(ListInvoices(settled=False))).invoices
        assert len((await people["registration"].ask(ListRegistrations(waiting=True))).registrations) >= 3

        seeds = {"VN": system.stack.seed(ANNOUNCER, "VN")}
        for _ in range(2):
            await announce_documents(system.stack.nats_url, seeds, "KH", sign_ins, datetime.now(ZONE).date())

        async def received() -> bool:
            page = await people["customs"].ask(ListReceivedDocuments())
            return len(page.documents) == 3 and all(each.code for each in page.documents)

        assert await eventually(received)
