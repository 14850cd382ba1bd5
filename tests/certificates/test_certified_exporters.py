"""The register of certified exporters: rules, acts of officers, and what the public check learns."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.certificates.domain.certified import (
    ALLOWED,
    CertificationRule,
    CertifiedAct,
    CertifiedExporter,
    CertifiedNotAllowedNow,
    CertifiedStatus,
    SignatoryTwice,
    TooManySignatories,
    ValidityOutOfBounds,
)
from services.certificates.domain.form import Criterion
from services.certificates.domain.product import Product, ProductStatus
from shared.contracts.certificates import self_certification as contracts
from shared.contracts.certificates.self_certification import (
    CertifiedExporterChanged,
    ChangeCertifiedExporter,
    GetCertifiedExporter,
    GrantCertifiedExporter,
    ListCertifiedExporters,
    ReinstateCertifiedExporter,
    SearchExporters,
    SuspendCertifiedExporter,
    WithdrawCertifiedExporter,
    digest_of_name,
)
from shared.contracts.registry.registrations import RegistrationReinstated, RegistrationSuspended
from tests.certificates.test_handlers import REVIEWER, Trader
from tests.support.service_under_test import ServiceUnderTest, a_person

TODAY = date(2026, 11, 23)
APPROVER = a_person("approver")
ELSEWHERE = a_person("approver", organisation="SVR")
RULE = CertificationRule(effective_from=date(2020, 9, 20), signatories=10, months=24)
DARA, VANNA = ("Sok Dara", "Export manager"), ("Chan Vanna", "Director")


def a_certified(**changes: Any) -> CertifiedExporter:
    values = {"code": "KH-CE-2026-0001", "exporter_id": uuid4(), "valid_from": TODAY, "valid_until": date(2027, 11, 23)}
    return CertifiedExporter(**values | changes)  # type: ignore[arg-type]


def a_product(**changes: Any) -> Product:
    values: dict[str, Any] = {"product_id": uuid4(), "exporter_id": uuid4(), "description": "Shirts", "hs_code": "62052000"}
    more = {"criterion": Criterion("WO"), "handicraft": False, "status": ProductStatus.APPROVED}
    return Product(**values | more | changes)


def test_every_status_and_act_is_in_the_table_and_in_the_contracts() -> None:
    assert set(ALLOWED) == set(CertifiedStatus)
    assert {each.value for each in CertifiedStatus} == {each.value for each in contracts.CertifiedStatus}


@pytest.mark.parametrize("status", list(CertifiedStatus))
@pytest.mark.parametrize("act", [each for each in CertifiedAct if each is not CertifiedAct.GRANT])
def test_an_act_is_done_or_refused_by_the_table(status: CertifiedStatus, act: CertifiedAct) -> None:
    certified = a_certified(status=status)
    acts = {
        CertifiedAct.CHANGE: certified.change,
        CertifiedAct.SUSPEND: lambda: certified.suspend(TODAY),
        CertifiedAct.REINSTATE: lambda: certified.reinstate(TODAY),
        CertifiedAct.WITHDRAW: lambda: certified.withdraw(TODAY),
    }
    if act in ALLOWED[status]:
        acts[act]()
        assert certified.version == 2
    else:
        with pytest.raises(CertifiedNotAllowedNow):
            acts[act]()


def test_eleven_signatories_are_too_many() -> None:
    people = [(f"Person {number}", "Clerk") for number in range(11)]
    a_certified().set_content(TODAY, date(2027, 11, 23), people[:10], [a_product()], RULE)
    with pytest.raises(TooManySignatories, match="at most 10"):
        a_certified().set_content(TODAY, date(2027, 11, 23), people, [a_product()], RULE)


def test_a_signatory_is_named_once() -> None:
    with pytest.raises(SignatoryTwice):
        a_certified().set_content(TODAY, date(2027, 11, 23), [DARA, ("SOK DARA", "Clerk")], [a_product()], RULE)


@pytest.mark.parametrize("last", [TODAY, TODAY - timedelta(days=1), date(2028, 11, 24)])
def test_the_last_day_is_later_and_not_too_late(last: date) -> None:
    with pytest.raises(ValidityOutOfBounds):
        a_certified().set_content(TODAY, last, [DARA], [a_product()], RULE)


def test_former_signatories_and_products_stay_with_their_last_day() -> None:
    certified, shirts, shoes = a_certified(), a_product(), a_product(hs_code="640399")
    certified.set_content(TODAY, date(2027, 11, 23), [DARA], [shirts], RULE)
    later = TODAY + timedelta(days=10)

    certified.set_content(later, date(2027, 11, 23), [VANNA], [shirts, shoes], RULE)

    assert [(each.name, each.since, each.until) for each in certified.signatories] == [
        ("Sok Dara", TODAY, later),
        ("Chan Vanna", later, None),
    ]
    assert [(each.hs_code, each.since, each.until) for each in certified.products] == [
        ("62052000", TODAY, None),
        ("640399", later, None),
    ]


def test_a_signatory_who_is_removed_on_the_first_day_never_counted() -> None:
    certified = a_certified()
    certified.set_content(TODAY, date(2027, 11, 23), [DARA], [a_product()], RULE)

    certified.set_content(TODAY, date(2027, 11, 23), [VANNA], [a_product()], RULE)

    assert [each.name for each in certified.signatories] == ["Chan Vanna"]


@pytest.mark.parametrize("name", ["Sok Dara", "SOK  DARA", " sok-dara ", "Sók Dara."])
def test_a_name_has_one_digest_however_it_is_written(name: str) -> None:
    assert digest_of_name("KH-CE-2026-0001", name) == digest_of_name("KH-CE-2026-0001", "sok dara")
    assert digest_of_name("KH-CE-2026-0002", name) != digest_of_name("KH-CE-2026-0001", "sok dara")


def a_grant(trader: Trader, **changes: Any) -> GrantCertifiedExporter:
    values: dict[str, Any] = {
        "exporter_id": trader.exporter_id,
        "valid_until": date(2027, 11, 23),
        "signatories": [{"name": "Sok Dara", "position": "Export manager"}],
        "product_ids": [trader.product_id],
        "reason": "Audited on 20 November 2026.",
    }
    return GrantCertifiedExporter(**values | changes)


async def test_an_exporter_is_certified_and_the_public_check_learns_no_name(service: ServiceUnderTest, trader: Trader) -> None:
    state = await service.ask(a_grant(trader), APPROVER)

    assert (state.code, state.status, state.valid_from) == ("KH-CE-2026-0001", "granted", TODAY)
    (event,) = await service.announced(CertifiedExporterChanged)
    assert "Dara" not in event.model_dump_json()
    assert [each.subheading for each in event.goods] == ["610910"]
    assert event.signatories[0].digest == digest_of_name(event.code, "Sok Dara")
    assert [(each.act, each.reason, each.user_id) for each in state.acts] == [
        ("grant", "Audited on 20 November 2026.", APPROVER.user_id)
    ]


async def test_an_exporter_is_certified_once_and_again_after_a_withdrawal(service: ServiceUnderTest, trader: Trader) -> None:
    await service.ask(a_grant(trader), APPROVER)
    assert (await service.ask(a_grant(trader), APPROVER)).code == "certified_already"

    withdraw = WithdrawCertifiedExporter(exporter_id=trader.exporter_id, reason="No records.")
    assert (await service.ask(withdraw, APPROVER)).status == "withdrawn"
    assert (
        await service.ask(withdraw.model_copy(update={"command_id": uuid4()}), APPROVER)
    ).code == "certified_not_allowed_now"
    assert (await service.ask(a_grant(trader), APPROVER)).code == "KH-CE-2026-0002"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"exporter_id": uuid4()}, "exporter_not_registered", "exporter_id"),
        ({"product_ids": [uuid4()]}, "product_not_found", "product_ids.0"),
        ({"valid_until": TODAY}, "certified_validity_out_of_bounds", "valid_until"),
        ({"signatories": [{"name": f"P {n}", "position": "x"} for n in range(11)]}, "too_many_signatories", "signatories"),
    ],
)
async def test_what_the_rules_do_not_allow_is_refused_at_its_field(
    service: ServiceUnderTest, trader: Trader, changes: dict[str, Any], code: str, field: str
) -> None:
    refusal = await service.ask(a_grant(trader, **changes), APPROVER)

    assert (refusal.code, refusal.fields) == (code, (field,))
    assert await service.announced(CertifiedExporterChanged) == []


async def test_only_the_headquarters_keep_the_register(service: ServiceUnderTest, trader: Trader) -> None:
    assert (await service.ask(a_grant(trader), ELSEWHERE)).code == "headquarters_only"
    await service.ask(a_grant(trader), APPROVER)
    suspend = SuspendCertifiedExporter(exporter_id=trader.exporter_id, reason="x")
    assert (await service.ask(suspend, ELSEWHERE)).code == "headquarters_only"


async def test_it_is_changed_suspended_and_reinstated_with_reasons(service: ServiceUnderTest, trader: Trader) -> None:
    await service.ask(a_grant(trader), APPROVER)
    service.clock.instant += timedelta(days=1)
    change = a_grant(trader, signatories=[{"name": "Chan Vanna", "position": "Director"}], reason="New director.")

    changed = await service.ask(ChangeCertifiedExporter(**change.model_dump()), APPROVER)
    suspended = await service.ask(SuspendCertifiedExporter(exporter_id=trader.exporter_id, reason="No records."), APPROVER)
    service.clock.instant += timedelta(days=1)
    await service.ask(ReinstateCertifiedExporter(exporter_id=trader.exporter_id, reason="Records shown."), APPROVER)

    assert [each.until for each in changed.signatories] == [TODAY + timedelta(days=1), None]
    assert suspended.status == "suspended"
    state = await service.ask(GetCertifiedExporter(exporter_id=trader.exporter_id), trader.person)
    assert [each.act for each in state.acts] == ["reinstate", "suspend", "change", "grant"]
    last = (await service.announced(CertifiedExporterChanged))[-1]
    assert [(each.since, each.until) for each in last.suspensions] == [(TODAY + timedelta(days=1), TODAY + timedelta(days=2))]


async def test_a_company_reads_its_own_certification_only(service: ServiceUnderTest, trader: Trader) -> None:
    await service.ask(a_grant(trader), APPROVER)
    stranger = a_person("preparer", organisation=uuid4())

    assert (await service.ask(GetCertifiedExporter(exporter_id=trader.exporter_id), stranger)).code == "not_yours"
    nobody = GetCertifiedExporter(exporter_id=UUID(stranger.organisation))
    assert (await service.ask(nobody, stranger)).code == "certified_exporter_not_found"


def registration(kind: Any, trader: Trader, version: int) -> Any:
    values = {"exporter_id": trader.exporter_id, "version": version, "occurred_at": trader.service.clock.now(), "reason": "x"}
    return kind(**{name: value for name, value in values.items() if name in kind.model_fields})


async def test_a_suspended_registration_suspends_the_certification_until_it_is_reinstated(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await service.ask(a_grant(trader), APPROVER)

    await service.receive(registration(RegistrationSuspended, trader, 3))
    suspended = await service.ask(GetCertifiedExporter(exporter_id=trader.exporter_id), REVIEWER)
    refusal = await service.ask(ReinstateCertifiedExporter(exporter_id=trader.exporter_id, reason="x"), APPROVER)
    await service.receive(registration(RegistrationReinstated, trader, 4))

    assert (suspended.status, suspended.acts[0].user_id) == ("suspended", None)
    assert refusal.code == "exporter_suspended"
    assert (await service.ask(GetCertifiedExporter(exporter_id=trader.exporter_id), REVIEWER)).status == "granted"


async def test_a_suspension_by_an_officer_outlasts_that_of_the_registration(service: ServiceUnderTest, trader: Trader) -> None:
    await service.ask(a_grant(trader), APPROVER)
    await service.ask(SuspendCertifiedExporter(exporter_id=trader.exporter_id, reason="No records."), APPROVER)

    await service.receive(registration(RegistrationSuspended, trader, 3))
    await service.receive(registration(RegistrationReinstated, trader, 4))

    assert (await service.ask(GetCertifiedExporter(exporter_id=trader.exporter_id), REVIEWER)).status == "suspended"


async def test_the_register_is_listed_and_exporters_are_found_by_name(service: ServiceUnderTest, trader: Trader) -> None:
    await service.ask(a_grant(trader), APPROVER)
    other = await Trader(service).begin()

    listed = await service.ask(ListCertifiedExporters(), REVIEWER)
    found = await service.ask(SearchExporters(search="ANGKOR"), REVIEWER)

    assert [(each.code, each.name) for each in listed.exporters] == [("KH-CE-2026-0001", "Angkor Garment Co., Ltd.")]
    assert (await service.ask(ListCertifiedExporters(status="withdrawn"), REVIEWER)).exporters == ()
    assert {each.exporter_id: each.code for each in found.exporters} == {
        trader.exporter_id: "KH-CE-2026-0001",
        other.exporter_id: None,
    }
