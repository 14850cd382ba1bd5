"""The registrations that registry announces decide whether an exporter may submit, in any order of arrival."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from math import factorial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.certificates.domain.exporter import Exporter, Standing
from services.certificates.handlers import router
from services.certificates.store.exporters import find_exporter
from shared.contracts.messages import Event
from shared.contracts.registry.registrations import (
    RegistrationApproved,
    RegistrationExpired,
    RegistrationReinstated,
    RegistrationSuspended,
)
from shared.refusals import Refused
from tests.certificates.builders import an_exporter
from tests.certificates.keys import certificate_tools
from tests.support.service_under_test import ServiceUnderTest, a_service_under_test

TODAY = date(2026, 11, 23)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_service_under_test("certificates", router, tmp_path, *certificate_tools()) as service:
        yield service


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_until": TODAY}, None),
        ({"valid_from": TODAY}, None),
        ({"valid_until": TODAY - timedelta(days=1)}, "exporter_registration_expired"),
        ({"valid_from": TODAY + timedelta(days=1)}, "exporter_registration_not_begun"),
        ({"standing": Standing.SUSPENDED}, "exporter_suspended"),
        ({"standing": Standing.EXPIRED}, "exporter_registration_expired"),
        ({"standing": Standing.SUSPENDED, "valid_until": date(2026, 1, 1)}, "exporter_registration_expired"),
    ],
)
def test_only_an_active_registration_within_its_year_is_enough(changes: dict[str, Any], code: str | None) -> None:
    exporter = an_exporter(**changes)
    if code is None:
        assert exporter.must_be_registered(TODAY) is None
    else:
        with pytest.raises(Refused) as refused:
            exporter.must_be_registered(TODAY)
        assert (refused.value.code, refused.value.fields) == (code, ("exporter_id",))
        assert "Nothing" in refused.value.detail


def events_of(exporter_id: UUID) -> tuple[Event, ...]:
    """The events of one exporter in a year and a day, in order."""

    def event(kind: type[Event], version: int, **fields: Any) -> Event:
        return kind(exporter_id=exporter_id, version=version, occurred_at=datetime(2026, 11, 23, tzinfo=UTC), **fields)

    def approved(version: int, name: str, year: int) -> Event:
        validity = {"valid_from": date(year, 1, 1), "valid_until": date(year + 1, 1, 1)}
        return event(RegistrationApproved, version, name=name, address="Phnom Penh", **validity)

    return (
        approved(6, "First", 2025),
        event(RegistrationSuspended, 7),
        event(RegistrationReinstated, 8),
        event(RegistrationExpired, 9),
        approved(12, "Second", 2026),
        event(RegistrationSuspended, 13),
    )


async def known_after(service: ServiceUnderTest, events: Sequence[Event]) -> Exporter | None:
    for event in events:
        await service.receive(event)
    async with service.work() as work:
        return await find_exporter(work, events[0].exporter_id)  # type: ignore[attr-defined]


@pytest.mark.parametrize("length", range(1, 7))
async def test_the_order_of_arrival_never_matters(service: ServiceUnderTest, length: int) -> None:
    happened = events_of(uuid4())[:length]
    expected = await known_after(service, happened)
    assert expected is not None
    for order in list(permutations(range(length)))[:: max(1, factorial(length) // 24)]:
        other = uuid4()
        known = await known_after(service, [events_of(other)[number] for number in order])
        assert known is not None
        assert {**vars(known), "exporter_id": None} == {**vars(expected), "exporter_id": None}


async def test_a_suspension_that_arrives_before_the_approval_is_kept(service: ServiceUnderTest) -> None:
    exporter_id = uuid4()
    approval, suspension = events_of(exporter_id)[:2]
    assert await known_after(service, [suspension]) is None
    known = await known_after(service, [approval])
    assert known is not None
    assert (known.name, known.standing) == ("First", Standing.SUSPENDED)
