"""A certificate of 1,000 items: it is submitted in less than two seconds, issued and sealed, and each answer fits a message."""

from time import perf_counter

import pytest

from shared.contracts.certificates.content import GetCertificateContent
from shared.contracts.certificates.documents import CertificateDocumented, FormD
from shared.contracts.certificates.issuing import SubmitCertificate
from shared.contracts.certificates.sealing import CertificateCredential, GetCertificateCredential
from tests.certificates.test_handlers import Trader
from tests.support.service_under_test import ServiceUnderTest

ITEMS = 1000


@pytest.mark.slow
async def test_a_certificate_of_a_thousand_items_is_submitted_issued_and_read(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await service.start()
    (item,) = trader.consignment()["items"]
    goods = [item | {"marks": f"SAT / {number}", "trade_mark": "ANGKOR"} for number in range(1, ITEMS + 1)]
    certificate_id = (await trader.draft(items=goods)).certificate_id

    began = perf_counter()
    await service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
    taken = perf_counter() - began

    assert taken < 2
    await trader.settle(certificate_id)
    await trader.approve(certificate_id)
    await service.do_tasks()
    (documented,) = await service.announced(CertificateDocumented)
    assert len(documented.model_dump_json()) < 900_000
    content = await service.ask(GetCertificateContent(certificate_id=certificate_id), trader.person)
    assert len(content.items) == ITEMS
    question = GetCertificateCredential(certificate_id=certificate_id)
    data: CertificateCredential = await service.ask(question, trader.person)
    credential, parts = data.credential, 1
    assert FormD.model_validate_json(data.document) == documented.document
    while data.next is not None:
        data = await service.ask(question.model_copy(update={"offset": data.next}), trader.person)
        credential, parts = credential + data.credential, parts + 1
    assert parts > 1
    assert data.document == ""
    assert credential.count(".") == 2
