"""The list of partners: whether each answers, what waits for it, and what is wrong with its row."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from opentelemetry.trace import INVALID_SPAN

from services.gateway import store
from services.gateway.handlers import router
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.partners import Contact, Partners, RefusedRow
from services.gateway.wire.tls import Connections
from shared.contracts.gateway.partners import ListedPartner, ListPartners, PartnerState
from shared.contracts.messages import Refusal
from tests.support.service_under_test import ServiceUnderTest, a_person, a_service_under_test

from .builders import MAX_BYTES, TwoGateways, a_documented_certificate, a_partner, a_signer
from .test_gateway_lists import NOON, a_transmission

OFFICER = a_person("approver")


async def listed(gateway: ServiceUnderTest) -> dict[str, ListedPartner]:
    answer = await gateway.ask(ListPartners(), OFFICER)
    return {each.country: each for each in answer.partners}


def a_directory() -> Partners:
    contact = Contact(name="ASW desk", telephone="+84 24 0000 0000")
    rows = {
        "VN": a_partner("VN", a_signer("VN"), contact=contact),
        "TH": a_partner("TH", a_signer("TH", lasts=timedelta(days=40))),
        "TL": a_partner("TL", a_signer("TL")),
    }
    return Partners(rows, (RefusedRow("LA", "the certificate la.crt cannot be read"),))


@pytest.fixture
def exchange() -> Exchange:
    return Exchange("KH", a_directory(), a_signer("KH"), Connections(None, None), MAX_BYTES)


async def test_each_member_has_what_waits_for_it_and_its_row(
    tmp_path: Path, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_COUNTED", 3)
    async with a_service_under_test("gateway", router, tmp_path, exchange) as gateway:
        for serial in range(4):
            await a_transmission(gateway, serial)
        await a_transmission(gateway, 10, "AS1 AS2", destination="TH")
        await a_transmission(gateway, 11, "AS1 AS2 REC", destination="TH")

        found = await listed(gateway)

    assert "KH" not in found
    assert (found["VN"].waiting, found["VN"].more, found["VN"].oldest) == (3, True, NOON)
    assert (found["TH"].waiting, found["TH"].more, found["TH"].state) == (1, False, None)
    assert found["VN"].contact
    assert found["VN"].contact.telephone == "+84 24 0000 0000"
    assert found["VN"].version == 2
    assert found["TH"].certificates_until == (datetime.now(UTC) + timedelta(days=10)).date()
    assert found["LA"].problem == "the certificate la.crt cannot be read"
    assert found["TL"].opens_on is None
    assert found["VN"].opens_on == date(2019, 12, 30)
    assert not found["SG"].configured


async def test_a_partner_that_does_not_answer_is_listed_with_the_reason(gateways: TwoGateways) -> None:
    gateways.kh.links["VN"].down = True
    await gateways.kh.receive(a_documented_certificate())
    for _ in range(3):
        await gateways.kh.run_due_tasks()
    async with gateways.kh.context.reading(INVALID_SPAN) as work:
        work.act_as(OFFICER)
        answer = await router.requests[ListPartners](ListPartners(), work)
    (vn,) = [each for each in answer.partners if each.country == "VN"]  # type: ignore[attr-defined]
    assert (vn.state, vn.waiting) == (PartnerState.DOWN, 1)
    assert "cannot be reached" in vn.waits_because


async def test_a_company_does_not_see_the_partners(tmp_path: Path, exchange: Exchange) -> None:
    async with a_service_under_test("gateway", router, tmp_path, exchange) as gateway:
        assert isinstance(await gateway.ask(ListPartners(), a_person("signatory")), Refusal)
