"""Lists and counts: who sees which certificates, products and consignees, and how they are found."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update

from services.certificates.store import lists
from services.certificates.store.tables import certificates, consignee_names
from shared.contracts.certificates.issuing import ReturnCertificate, ReviseCertificate, SubmitCertificate
from shared.contracts.certificates.lists import (
    CountCertificates,
    GetProduct,
    ListCertificates,
    ListConsignees,
    ListProducts,
)
from shared.contracts.certificates.products import RefuseProduct
from shared.contracts.certificates.withdrawing import DiscardCertificate
from tests.certificates.test_agents import Forwarder
from tests.certificates.test_handlers import APPROVER, REVIEWER, STRANGER, Trader
from tests.support.service_under_test import ServiceUnderTest, a_person

CASHIER, AUDITOR = a_person("cashier"), a_person("auditor")


def found(answer: Any) -> list[UUID]:
    return [each.certificate_id for each in answer.certificates]


async def drafted(trader: Trader, consignee: str = "Saigon Apparel", **changes: Any) -> UUID:
    """The id of a draft, one minute younger than the former."""
    trader.service.clock.instant += timedelta(minutes=1)
    state = await trader.draft(consignee={"name": consignee, "address": "Ho Chi Minh City"}, **changes)
    return state.certificate_id


async def submitted(trader: Trader, **changes: Any) -> UUID:
    certificate_id = await drafted(trader, **changes)
    await trader.service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
    return certificate_id


async def test_a_listed_certificate_says_what_a_queue_shows(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id = await submitted(trader)

    (listed,) = (await service.ask(ListCertificates(), CASHIER)).certificates

    assert (listed.certificate_id, listed.exporter_name) == (certificate_id, "Angkor Garment Co., Ltd.")
    assert (listed.consignee, listed.destination, listed.office, listed.items) == ("Saigon Apparel", "VN", "PNH", 1)
    assert (listed.status, listed.settled, listed.since) == ("submitted", False, service.clock.now())
    assert listed.waits_for == ("review", "approval", "payment")
    assert str(listed.departure_date) == "2026-11-25"


async def test_a_company_sees_its_own_and_officers_see_all(service: ServiceUnderTest, trader: Trader) -> None:
    other = await Trader(service).begin()
    mine, theirs = await drafted(trader), await drafted(other)

    assert found(await service.ask(ListCertificates(), trader.person)) == [mine]
    assert found(await service.ask(ListCertificates(exporter_id=trader.exporter_id), trader.person)) == [mine]
    for officer in (REVIEWER, APPROVER, CASHIER, AUDITOR):
        assert found(await service.ask(ListCertificates(), officer)) == [theirs, mine]
    assert found(await service.ask(ListCertificates(exporter_id=other.exporter_id), AUDITOR)) == [theirs]
    assert found(await service.ask(ListCertificates(), STRANGER)) == []
    for stranger in (
        a_person("registration_officer"),
        a_person("administrator"),
        a_person("customs_viewer", organisation="VN"),
    ):
        for question in (ListCertificates(), CountCertificates(), ListProducts(), ListConsignees(exporter_id=uuid4())):
            assert (await service.ask(question, stranger)).code == "not_yours", question
    for question in (ListCertificates, CountCertificates, ListProducts, ListConsignees):
        assert (await service.ask(question(exporter_id=other.exporter_id), trader.person)).code == "not_yours"


async def test_an_agent_sees_only_what_it_drafted(service: ServiceUnderTest, trader: Trader) -> None:
    forwarder = Forwarder(service, trader, uuid4(), uuid4())
    await forwarder.registered()
    await forwarder.granted()
    await drafted(trader, "Secret customer")
    draft = trader.a_draft()
    await service.ask(draft, forwarder.person())

    assert found(await service.ask(ListCertificates(), forwarder.person())) == [draft.certificate_id]
    assert found(await service.ask(ListCertificates(search="secret"), forwarder.person())) == []
    assert (await service.ask(CountCertificates(), forwarder.person())).by_status["draft"] == 1
    consignees = (await service.ask(ListConsignees(exporter_id=trader.exporter_id), forwarder.person())).consignees
    assert [each.name for each in consignees] == ["Saigon Apparel"]
    (product,) = (await service.ask(ListProducts(), forwarder.person())).products
    assert product.product_id == trader.product_id
    assert len((await service.ask(ListCertificates(), trader.person)).certificates) == 2


async def test_a_list_has_pages_in_both_orders_and_leaves_out_what_was_discarded(
    service: ServiceUnderTest, trader: Trader
) -> None:
    ids = [await drafted(trader) for _ in range(4)]
    await service.ask(DiscardCertificate(certificate_id=ids[1]), trader.person)
    service.clock.instant += timedelta(minutes=1)
    await service.ask(SubmitCertificate(certificate_id=ids[0]), trader.person)

    async def pages(**question: Any) -> list[UUID]:
        first = await service.ask(ListCertificates(limit=2, **question), trader.person)
        second = await service.ask(ListCertificates(limit=2, after=first.next, **question), trader.person)
        assert second.next is None
        return found(first) + found(second)

    assert await pages() == [ids[3], ids[2], ids[0]]
    assert await pages(order="longest_waiting") == [ids[2], ids[3], ids[0]]
    assert found(await service.ask(ListCertificates(statuses=["discarded"]), trader.person)) == [ids[1]]
    assert (await service.ask(ListCertificates(after="bm9uc2Vuc2U"), trader.person)).code == "cursor_malformed"


async def test_a_list_is_filtered_by_office_destination_status_and_payment(service: ServiceUnderTest, trader: Trader) -> None:
    draft, elsewhere = await drafted(trader), await submitted(trader, office="SVR", destination="SG")
    paid, returned = await submitted(trader), await submitted(trader)
    await trader.settle(paid)
    await service.ask(ReturnCertificate(certificate_id=returned, remarks="Box 2."), REVIEWER)

    for filters, expected in (
        ({"office": "SVR"}, {elsewhere}),
        ({"destination": "SG"}, {elsewhere}),
        ({"statuses": ["draft", "returned"]}, {draft, returned}),
        ({"unpaid": True}, {elsewhere}),
        ({"unpaid": True, "office": "PNH"}, set()),
        ({"mine": True}, set()),
    ):
        assert set(found(await service.ask(ListCertificates(**filters), REVIEWER))) == expected, filters
    counts = await service.ask(CountCertificates(), REVIEWER)
    assert {status: count for status, count in counts.by_status.items() if count} == {"draft": 1, "submitted": 2, "returned": 1}
    assert (counts.unpaid, counts.held, counts.mine, str(counts.oldest_submitted_on)) == (1, 0, 0, "2026-11-23")
    counts = await service.ask(CountCertificates(office="SVR"), trader.person)
    assert (sum(counts.by_status.values()), counts.unpaid) == (1, 1)
    assert (await service.ask(CountCertificates(), STRANGER)).oldest_submitted_on is None


async def test_certificates_are_found_by_reference_consignee_and_exporter(service: ServiceUnderTest, trader: Trader) -> None:
    issued = await submitted(trader, consignee="100% ÉLAN_Mode")
    await trader.settle(issued)
    await trader.approve(issued)
    await service.do_tasks()
    other = await drafted(trader, consignee="Mekong Trading")

    for search, expected in (
        ("d2026-pnh", {issued}),
        ("D2026-PNH-000001", {issued}),
        ("2026-PNH", set()),
        ("élan", {issued}),
        ("Mekong", {other}),
        ("ANGKOR", {issued, other}),
        ("%", {issued}),
        ("n_m", {issued}),
        ("_", {issued}),
        ("\\", set()),
        ("'; DROP TABLE certificates --", set()),
        ("ទំនិញ", set()),
    ):
        assert set(found(await service.ask(ListCertificates(search=search), REVIEWER))) == expected, search
    assert found(await service.ask(ListCertificates(search="Mekong"), STRANGER)) == []


async def test_a_search_that_finds_many_shows_the_same(
    service: ServiceUnderTest, trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await drafted(trader) for _ in range(3)]
    monkeypatch.setattr(lists, "FEW", 1)
    first = await service.ask(ListCertificates(search="saigon", limit=2), REVIEWER)
    assert found(first) == [ids[2], ids[1]]
    assert found(await service.ask(ListCertificates(search="saigon", limit=2, after=first.next), REVIEWER)) == [ids[0]]


async def test_a_list_of_several_statuses_has_pages_in_the_order_of_all(service: ServiceUnderTest, trader: Trader) -> None:
    ids = []
    for number in range(7):
        ids.append(await (drafted if number % 2 else submitted)(trader))
    wanted = {"statuses": ["draft", "submitted", "issued"], "limit": 3}

    for person, filters in (
        (REVIEWER, {}),
        (trader.person, {}),
        (REVIEWER, {"office": "PNH"}),
        (AUDITOR, {"destination": "VN"}),
    ):
        pages, after = [], None
        while not pages or after:
            answer = await service.ask(ListCertificates(after=after, **wanted, **filters), person)
            pages.append(found(answer))
            after = answer.next
        assert pages == [ids[:3:-1], ids[3:0:-1], ids[:1]], filters


async def test_more_certificates_of_a_status_than_are_counted_are_said_to_be_more(
    service: ServiceUnderTest, trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MAX_COUNTED", 2)
    for _ in range(2):
        await drafted(trader)
    await submitted(trader)
    counts = await service.ask(CountCertificates(), REVIEWER)
    assert (counts.by_status["draft"], counts.by_status["submitted"], counts.at_least) == (2, 1, ())

    await drafted(trader)
    counts = await service.ask(CountCertificates(), REVIEWER)
    assert (counts.by_status["draft"], counts.by_status["submitted"], counts.at_least) == (2, 1, ("draft",))


async def test_a_search_finds_the_consignee_that_a_certificate_has_now(service: ServiceUnderTest, trader: Trader) -> None:
    draft = await drafted(trader, "Hanoi Trading")
    await service.ask(
        ReviseCertificate(
            certificate_id=draft, consignment=trader.consignment(consignee={"name": "Java Foods", "address": "J"})
        ),
        trader.person,
    )
    other = await drafted(trader, "Hanoi Foods")

    assert found(await service.ask(ListCertificates(search="java"), REVIEWER)) == [draft]
    assert found(await service.ask(ListCertificates(search="hanoi"), REVIEWER)) == [other]
    assert set(found(await service.ask(ListCertificates(search="FOODS", office="PNH"), REVIEWER))) == {draft, other}
    assert found(await service.ask(ListCertificates(search="foods", office="SVR"), REVIEWER)) == []


async def test_a_start_keeps_the_names_that_a_replica_of_the_former_release_did_not_keep(
    service: ServiceUnderTest, trader: Trader
) -> None:
    draft = await drafted(trader)
    async with service.work() as work:
        await work.session.execute(delete(consignee_names))
    assert found(await service.ask(ListCertificates(search="saigon"), REVIEWER)) == []

    await service.start()

    assert found(await service.ask(ListCertificates(search="saigon"), REVIEWER)) == [draft]
    await service.start()


async def test_a_certificate_that_the_former_release_has_drafted_is_listed(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id = await drafted(trader)
    async with service.work() as work:
        nothing = {"item_count": 0, "consignee": "", "destination": "", "departure_date": None, "search": ""}
        await work.session.execute(update(certificates).values(nothing))

    (listed,) = (await service.ask(ListCertificates(), trader.person)).certificates
    assert (listed.consignee, listed.destination, listed.items) == ("Saigon Apparel", "VN", 1)

    await service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
    assert found(await service.ask(ListCertificates(search="saigon"), REVIEWER)) == [certificate_id]


async def test_products_are_listed_by_description_and_found_by_its_parts_or_the_hs_code(
    service: ServiceUnderTest, trader: Trader
) -> None:
    pepper = uuid4()
    await trader.register_product(product_id=pepper, description="Pepper 100%", hs_code="090411", criterion={"kind": "WO"})
    await trader.register_product(product_id=uuid4(), description="hats of palm", hs_code="650400", criterion={"kind": "WO"})
    await service.ask(RefuseProduct(product_id=pepper, reason="No."), REVIEWER)

    async def named(**question: Any) -> list[str]:
        return [each.description.split()[0] for each in (await service.ask(ListProducts(**question), REVIEWER)).products]

    assert await named() == ["hats", "Pepper", "T-shirts,"]
    assert await named(search="0904") == ["Pepper"]
    assert await named(search="PEPPER 100%") == ["Pepper"]
    assert await named(search="_") == []
    assert await named(status="refused") == ["Pepper"]
    assert await named(exporter_id=uuid4()) == []
    first = await service.ask(ListProducts(limit=2), trader.person)
    last = await service.ask(ListProducts(limit=2, after=first.next), trader.person)
    assert (len(first.products), len(last.products), last.next) == (2, 1, None)

    assert (await service.ask(GetProduct(product_id=pepper), trader.person)).reason == "No."
    assert (await service.ask(GetProduct(product_id=pepper), AUDITOR)).status == "refused"
    assert (await service.ask(GetProduct(product_id=pepper), STRANGER)).code == "not_yours"
    assert (await service.ask(GetProduct(product_id=pepper), CASHIER)).code == "not_yours"
    assert (await service.ask(GetProduct(product_id=uuid4()), AUDITOR)).code == "product_not_found"


async def test_consignees_are_known_once_with_their_last_destination(service: ServiceUnderTest, trader: Trader) -> None:
    await drafted(trader, "Lion City Ltd", destination="SG")
    await drafted(trader)
    await drafted(trader, "Lion City Ltd", destination="MY")
    await service.ask(DiscardCertificate(certificate_id=await drafted(trader, "A mistake")), trader.person)
    question = ListConsignees(exporter_id=trader.exporter_id)

    (lion, saigon) = (await service.ask(question, trader.person)).consignees
    assert (lion.name, lion.destination, lion.address) == ("Lion City Ltd", "MY", "Ho Chi Minh City")
    assert (saigon.name, saigon.port_of_discharge) == ("Saigon Apparel", "CAT LAI")
    (only,) = (await service.ask(question.model_copy(update={"search": "LION"}), trader.person)).consignees
    assert only == lion
    first = await service.ask(question.model_copy(update={"limit": 1}), trader.person)
    second = await service.ask(question.model_copy(update={"limit": 1, "after": first.next}), trader.person)
    assert ((*first.consignees, *second.consignees), second.next) == ((lion, saigon), None)
    assert (await service.ask(question, REVIEWER)).code == "not_yours"
