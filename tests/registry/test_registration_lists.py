"""Officers find registrations by what waits, by status, by name and by tax number; each change of status is announced."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.registry.companies.domain.life_cycle import Act, Asked, Status
from services.registry.companies.domain.registration import Registration
from services.registry.handlers import router
from shared.contracts.registry.registration_lists import CountRegistrations, ListRegistrations
from shared.contracts.registry.registrations import (
    HandInRegistration,
    RegistrationExpired,
    RegistrationStatusChanged,
    RenewRegistration,
    ReturnRegistration,
)
from tests.registry.builders import OFFICER, a_registration, an_application, do, registered, some_particulars
from tests.support.service_under_test import ServiceUnderTest, a_person

MORNING = datetime(2026, 11, 23, 3, tzinfo=UTC)
COMPANY_ROLES = {"company_administrator", "preparer", "signatory"}


def an_hour_later(hours: int) -> datetime:
    return MORNING + timedelta(hours=hours)


async def stored(service: ServiceUnderTest, *registrations: Registration) -> None:
    async with service.work() as work:
        work.session.add_all(registrations)


def a_company(name: str, status: Status = Status.APPLIED, asked: Asked = Asked.NOTHING, **fields: Any) -> Registration:
    registration = a_registration(status, asked)
    registration.particulars = some_particulars(company_name=name, company_name_km=fields.pop("name_km", None))
    for field, value in fields.items():
        setattr(registration, field, value)
    return registration


async def names(service: ServiceUnderTest, **filters: Any) -> list[str]:
    page = await service.ask(ListRegistrations(**filters), OFFICER)
    return [registration.company_name for registration in page.registrations]


@pytest.mark.parametrize(
    ("status", "asked", "act", "waits"),
    [
        (Status.APPLIED, Asked.NOTHING, Act.CORRECT, "since before"),
        (Status.APPLIED, Asked.NOTHING, Act.RETURN, None),
        (Status.APPLIED, Asked.NOTHING, Act.APPROVE, None),
        (Status.APPLIED, Asked.NOTHING, Act.REFUSE, None),
        (Status.RETURNED, Asked.NOTHING, Act.CORRECT, None),
        (Status.RETURNED, Asked.NOTHING, Act.HAND_IN, "since now"),
        (Status.ACTIVE, Asked.NOTHING, Act.RENEW, "since now"),
        (Status.ACTIVE, Asked.APPLIED, Act.SUSPEND, "since before"),
        (Status.ACTIVE, Asked.APPLIED, Act.EXPIRE, "since before"),
        (Status.ACTIVE, Asked.APPLIED, Act.REFUSE, None),
        (Status.EXPIRED, Asked.APPLIED, Act.APPROVE, None),
    ],
)
def test_the_wait_begins_when_an_officer_must_decide_and_ends_with_the_decision(
    status: Status, asked: Asked, act: Act, waits: str | None
) -> None:
    registration = a_registration(status, asked)
    registration.note_waiting(MORNING)
    do(registration, act)
    registration.note_waiting(an_hour_later(1))

    assert registration.waiting_since == {"since before": MORNING, "since now": an_hour_later(1), None: None}[waits]


def test_an_approval_that_is_restored_ends_the_wait_and_versions_never_fall() -> None:
    registration = a_registration(Status.ACTIVE, Asked.APPLIED)
    registration.note_waiting(MORNING)
    registration.restore_version(9)
    registration.restore_version(2)
    valid_from, valid_until = registration.validity
    registration.restore_approval(valid_from, valid_until, 12)
    assert (registration.waiting_since, registration.waits, registration.version) == (None, False, 12)


async def test_what_waits_is_listed_from_the_longest_wait_page_by_page(service: ServiceUnderTest) -> None:
    await stored(
        service,
        a_company("Third", waiting_since=an_hour_later(3)),
        a_company("First", Status.EXPIRED, Asked.APPLIED, waiting_since=an_hour_later(1)),
        a_company("Second", Status.ACTIVE, Asked.APPLIED, waiting_since=an_hour_later(2)),
        a_company("Of a former release"),
        a_company("Returned", Status.RETURNED),
        a_company("Active", Status.ACTIVE),
    )

    assert await names(service, waiting=True) == ["Of a former release", "First", "Second", "Third"]
    first = await service.ask(ListRegistrations(waiting=True, limit=3), OFFICER)
    last = await service.ask(ListRegistrations(waiting=True, limit=3, after=first.next), OFFICER)
    assert [registration.company_name for registration in last.registrations] == ["Third"]
    assert last.next is None
    expired = first.registrations[1]
    assert (expired.status, expired.renewal, expired.waiting_since) == ("expired", "applied", an_hour_later(1))
    assert await names(service, waiting=True, status="active") == ["Second"]
    assert (await service.ask(ListRegistrations(waiting=True, after="AAAA"), OFFICER)).code == "cursor_malformed"
    by_name = await service.ask(ListRegistrations(limit=1), OFFICER)
    assert (await service.ask(ListRegistrations(waiting=True, after=by_name.next), OFFICER)).code == "cursor_malformed"


async def test_registrations_are_listed_by_name_and_status(service: ServiceUnderTest) -> None:
    companies = [a_company("Zebra"), a_company("angkor", Status.ACTIVE), a_company("Bayon"), a_company("Bayon")]
    await stored(service, *companies)

    assert await names(service) == ["angkor", "Bayon", "Bayon", "Zebra"]
    assert await names(service, status="applied") == ["Bayon", "Bayon", "Zebra"]
    seen: list[UUID] = []
    after = None
    while after or not seen:
        page = await service.ask(ListRegistrations(limit=1, after=after), OFFICER)
        seen += [registration.exporter_id for registration in page.registrations]
        after = page.next
    assert sorted(seen) == sorted(company.exporter_id for company in companies)


async def test_registrations_are_found_by_a_part_of_the_name_or_the_beginning_of_the_tax_number(
    service: ServiceUnderTest,
) -> None:
    await stored(
        service,
        a_company("Angkor 100%_Cotton Co., Ltd.", name_km="ក្រុមហ៊ុន អង្គរ", tax_number="K001-100200"),
        a_company("Société Bayon", tax_number="L001-K001"),
    )

    for search in ("angkor", "COTTON", "100%_", "អង្គរ", "k001", "K001-1002"):
        assert await names(service, search=search) == ["Angkor 100%_Cotton Co., Ltd."], search
    assert await names(service, search="Société") == ["Société Bayon"]
    assert await names(service, search="L001") == ["Société Bayon"]
    for nothing in ("_", "%", "\\", "/"):
        assert len(await names(service, search=nothing)) == (nothing in "%_"), nothing
    for nothing in ("100200", "'; DROP TABLE registrations; --", "x" * 200, "\u202e", "K001\t", "០១"):
        assert len(await names(service, search=nothing)) == (nothing == "K001\t"), nothing  # ends are stripped


async def test_registrations_are_counted(service: ServiceUnderTest) -> None:
    empty = await service.ask(CountRegistrations(), OFFICER)
    assert (empty.waiting, empty.oldest_waiting_since, set(empty.by_status.values())) == (0, None, {0})

    await stored(
        service,
        a_company("A", waiting_since=an_hour_later(2)),
        a_company("B", Status.ACTIVE, Asked.APPLIED, waiting_since=an_hour_later(1)),
        a_company("C", Status.ACTIVE),
    )
    counts = await service.ask(CountRegistrations(), OFFICER)
    assert (counts.waiting, counts.oldest_waiting_since) == (2, an_hour_later(1))
    assert counts.by_status == dict.fromkeys(Status, 0) | {"applied": 1, "active": 2}


@pytest.mark.parametrize("role", ["company_administrator", "preparer", "reviewer", "approver", "customs_viewer"])
async def test_others_list_and_count_no_registrations(service: ServiceUnderTest, role: str) -> None:
    for question in (ListRegistrations(), CountRegistrations()):
        assert (await service.ask(question, a_person(role))).code == "role_required"


async def test_a_cashier_lists_and_does_not_count(service: ServiceUnderTest) -> None:
    assert (await service.ask(ListRegistrations(), a_person("cashier"))).registrations == ()
    assert (await service.ask(CountRegistrations(), a_person("cashier"))).code == "role_required"


async def test_every_status_of_a_registration_and_its_renewal_is_announced(service: ServiceUnderTest) -> None:
    application = await registered(service)
    exporter_id = application.exporter_id
    company = a_person(*COMPANY_ROLES, organisation=exporter_id)
    before = len(await service.announced(RegistrationStatusChanged))
    service.clock.instant += timedelta(days=330)
    for command, person in (
        (RenewRegistration(exporter_id=exporter_id), company),
        (ReturnRegistration(exporter_id=exporter_id, remarks="The photo is old."), OFFICER),
        (HandInRegistration(exporter_id=exporter_id), company),
    ):
        state = await service.ask(command, person)
    assert await names(service, waiting=True) == [application.company_name]
    assert (await service.ask(CountRegistrations(), OFFICER)).oldest_waiting_since == service.clock.now()

    service.clock.instant += timedelta(days=40)
    await service.do_tasks()

    assert len(await service.announced(RegistrationExpired)) == 1
    changes = (await service.announced(RegistrationStatusChanged))[before:]
    assert [change.status for change in changes] == ["active", "active", "active", "expired"]
    assert [change.version for change in changes] == list(range(state.version - 2, state.version + 2))

    keys, announce = router.reannouncing["registration-status"]
    async with service.work() as work:
        for key in (await work.session.scalars(keys)).all():
            await announce(key, work)
    (again,) = (await service.announced(RegistrationStatusChanged))[before + 4 :]
    assert (again.status, again.version) == (changes[-1].status, changes[-1].version)


async def test_an_application_is_announced_and_a_repeated_one_is_not(service: ServiceUnderTest) -> None:
    application = an_application()
    await service.ask(application)
    await service.ask(application)

    (change,) = await service.announced(RegistrationStatusChanged)
    assert (change.exporter_id, change.status, change.version) == (application.exporter_id, "applied", 1)
    assert await names(service, waiting=True) == [application.company_name]
