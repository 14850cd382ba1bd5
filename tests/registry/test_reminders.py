"""Reminders are sent on their days, each once. After an outage one e-mail replaces the missed ones."""

from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from services.registry.companies.domain.life_cycle import Status
from services.registry.companies.domain.reminders import Outcome, outcome_of, over_at
from services.registry.companies.tables import reminders
from shared.contracts.registry.registration_history import GetRegistrationHistory
from shared.contracts.registry.registrations import (
    ApproveRegistration,
    GetRegistration,
    RegistrationExpired,
    RenewRegistration,
    ReturnRegistration,
    SuspendRegistration,
)
from shared.database.tables import tasks
from tests.registry.builders import OFFICER, REFERENCE_DATA, a_registration, registered
from tests.support.service_under_test import PHNOM_PENH, ServiceUnderTest, a_person

SCHEDULE = REFERENCE_DATA.schedule(date(2026, 11, 23))
LAST_DAY = date(2027, 11, 23)


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of day in Phnom Penh, as UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PHNOM_PENH).astimezone(UTC)


async def outcomes(service: ServiceUnderTest) -> dict[int, str]:
    async with service.context.database.reading() as session:
        rows = (await session.execute(select(reminders).order_by(reminders.c.decided_at))).all()
    return {row.days_before: row.outcome.value for row in rows}


def emails(tmp_path: Path) -> list[Any]:
    """The e-mails, in the order of their dates."""
    found = [message_from_bytes(file.read_bytes(), policy=default) for file in (tmp_path / "mail").glob("*.eml")]
    return sorted(found, key=lambda letter: letter["Date"].datetime)


async def at(service: ServiceUnderTest, instant: datetime) -> None:
    service.clock.instant = instant
    await service.do_tasks()


@pytest.mark.parametrize(
    ("last_day", "days", "utc"),
    [
        (date(2027, 1, 1), 1, datetime(2026, 12, 31, 1, 0, tzinfo=UTC)),
        (date(2027, 1, 1), 0, datetime(2027, 1, 1, 1, 0, tzinfo=UTC)),
        (date(2028, 3, 1), 1, datetime(2028, 2, 29, 1, 0, tzinfo=UTC)),
        (date(2029, 2, 28), 30, datetime(2029, 1, 29, 1, 0, tzinfo=UTC)),
    ],
)
def test_a_reminder_goes_out_at_eight_of_the_ministrys_clock(last_day: date, days: int, utc: datetime) -> None:
    assert SCHEDULE.due_at(last_day, days, PHNOM_PENH) == utc


def test_a_year_is_over_with_the_midnight_after_its_last_day() -> None:
    assert over_at(date(2026, 12, 31), PHNOM_PENH) == datetime(2026, 12, 31, 17, 0, tzinfo=UTC)
    assert over_at(date(2028, 2, 28), PHNOM_PENH) == datetime(2028, 2, 28, 17, 0, tzinfo=UTC)


@given(
    last_day=st.dates(date(2026, 1, 1), date(2040, 12, 31)),
    hours_late=st.integers(0, 40 * 24),
    zone=st.sampled_from([ZoneInfo("Asia/Phnom_Penh"), ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")]),
)
def test_at_any_instant_one_reminder_is_sent_unless_another_is_due_that_day(
    last_day: date, hours_late: int, zone: ZoneInfo
) -> None:
    first = SCHEDULE.due_at(last_day, 30, zone)
    now = first + timedelta(hours=hours_late)
    due = [days for days in SCHEDULE.days_before if SCHEDULE.due_at(last_day, days, zone) <= now]
    said = [outcome_of(last_day, SCHEDULE.overtaken_at(last_day, days, zone), last_day, now) for days in due]
    ahead = [SCHEDULE.due_at(last_day, days, zone) for days in SCHEDULE.ahead(last_day, now, zone)]
    another_today = any(instant.date() == now.astimezone(zone).date() for instant in ahead)
    assert said.count(Outcome.SENT) == (now < over_at(last_day, zone) and not another_today)
    assert {outcome_of(last_day, now, LAST_DAY + timedelta(days=9999), now) for _ in due} == {Outcome.NOT_NEEDED}


async def test_reminders_are_sent_on_their_days_and_then_the_registration_expires(
    service: ServiceUnderTest, tmp_path: Path
) -> None:
    application = await registered(service)
    for days in (30, 14, 7, 1, 0):
        day = LAST_DAY - timedelta(days=days)
        before = await outcomes(service)
        await at(service, local(day, 7, 59))
        assert await outcomes(service) == before
        await at(service, local(day, 8))
        assert await outcomes(service) == before | {days: "sent"}

    await at(service, local(LAST_DAY, 23, 59))
    assert await service.announced(RegistrationExpired) == []
    await at(service, local(LAST_DAY + timedelta(days=1), 0))
    (expired,) = await service.announced(RegistrationExpired)
    state = await service.ask(GetRegistration(exporter_id=application.exporter_id), OFFICER)
    assert (state.status, state.version) == ("expired", expired.version)

    sent = emails(tmp_path)
    assert len(sent) == 6
    assert all(letter["To"] == application.email for letter in sent)
    first, last = sent[0].get_content(), sent[-1].get_content()
    assert "ends on 23 November 2027. Days left: 30." in first
    assert "ថ្ងៃទី ២៣ វិច្ឆិកា ២០២៧" in first
    assert "ask for another year" in first
    assert "ended on 23 November 2027" in last
    history = await service.ask(GetRegistrationHistory(exporter_id=application.exporter_id), OFFICER)
    assert (history.acts[0].act, history.acts[0].user_id) == ("expire", None)


async def test_after_an_outage_one_reminder_is_sent_with_the_right_number_of_days(
    service: ServiceUnderTest, tmp_path: Path
) -> None:
    await registered(service)
    await at(service, local(LAST_DAY - timedelta(days=5), 11))
    assert await outcomes(service) == {30: "missed", 14: "missed", 7: "sent"}
    (letter,) = emails(tmp_path)
    assert "Days left: 5." in letter.get_content()


async def test_after_an_outage_beyond_the_last_day_only_the_last_email_is_sent(
    service: ServiceUnderTest, tmp_path: Path
) -> None:
    await registered(service)
    await at(service, local(LAST_DAY + timedelta(days=40), 11))
    assert await outcomes(service) == {30: "missed", 14: "missed", 7: "missed", 1: "missed", 0: "missed", -1: "sent"}
    (letter,) = emails(tmp_path)
    assert "ended on 23 November 2027" in letter.get_content()


async def test_after_another_year_was_approved_the_old_reminders_are_not_needed(
    service: ServiceUnderTest, tmp_path: Path
) -> None:
    application = await registered(service)
    company = a_person("signatory", organisation=application.exporter_id)
    await at(service, local(LAST_DAY - timedelta(days=20), 9))
    await service.ask(RenewRegistration(exporter_id=application.exporter_id), company)
    await service.ask(ApproveRegistration(exporter_id=application.exporter_id), OFFICER)

    await at(service, local(LAST_DAY + timedelta(days=1), 9))
    assert await outcomes(service) == {30: "sent", 14: "not_needed", 7: "not_needed", 1: "not_needed", 0: "not_needed"}
    state = await service.ask(GetRegistration(exporter_id=application.exporter_id), OFFICER)
    assert (state.status, state.valid_until) == ("active", date(2028, 11, 23))
    async with service.context.database.reading() as session:
        left = await session.scalars(select(tasks.c.kind).where(tasks.c.kind.in_(("expire_registration", "remind_of_expiry"))))
    assert sorted(left) == ["expire_registration", *["remind_of_expiry"] * 5]
    assert len(emails(tmp_path)) == 1


@pytest.mark.parametrize(("returned", "what_to_do"), [(False, "What to do: nothing."), (True, "correct it as the remarks say")])
async def test_a_reminder_names_the_status_of_the_renewal(
    service: ServiceUnderTest, tmp_path: Path, returned: bool, what_to_do: str
) -> None:
    application = await registered(service)
    await at(service, local(LAST_DAY - timedelta(days=40), 9))
    company = a_person("signatory", organisation=application.exporter_id)
    await service.ask(RenewRegistration(exporter_id=application.exporter_id), company)
    if returned:
        await service.ask(ReturnRegistration(exporter_id=application.exporter_id, remarks="Unsigned."), OFFICER)
    await at(service, local(LAST_DAY - timedelta(days=30), 9))
    (letter,) = emails(tmp_path)
    assert what_to_do in letter.get_content()


async def test_a_suspended_registration_is_over_all_the_same(service: ServiceUnderTest) -> None:
    application = await registered(service)
    await service.ask(SuspendRegistration(exporter_id=application.exporter_id, reason="Closed."), OFFICER)
    await at(service, local(LAST_DAY + timedelta(days=1), 0))
    assert len(await service.announced(RegistrationExpired)) == 1


def test_a_registration_that_is_over_is_over_once() -> None:
    registration = a_registration(Status.ACTIVE)
    registration.expire()
    assert not registration.is_over(date(2099, 1, 1))
