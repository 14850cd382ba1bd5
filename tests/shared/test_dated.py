from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from services.certificates.domain.form import FormNotOffered
from services.certificates.reference_data import ReferenceData
from services.fees.tariffs import Tariffs
from services.registry.companies.reference_data import ReferenceData as RegistryData
from services.registry.identity.offices import Offices
from services.registry.mandates.reference_data import MandateLimits
from shared.dated import NothingInForce, effective_from, in_force

DAY = timedelta(days=1)
FIRST, SECOND = date(2020, 1, 1), date(2026, 7, 1)


@dataclass(frozen=True)
class Row:
    effective_from: date


ROWS = [Row(SECOND), Row(FIRST)]


@pytest.mark.parametrize(
    ("on", "begun"),
    [(FIRST, FIRST), (SECOND - DAY, FIRST), (SECOND, SECOND), (date.max, SECOND)],
)
def test_the_latest_row_that_has_begun_is_in_force(on: date, begun: date) -> None:
    assert in_force(ROWS, on) == Row(begun)


def test_rows_of_a_data_file_are_compared_by_their_days() -> None:
    rows = [{"effective_from": "2026-07-01"}, {"effective_from": "2020-01-01"}]
    assert in_force(rows, SECOND - DAY, effective_from) == rows[1]
    assert in_force(rows, SECOND, effective_from) == rows[0]


@pytest.mark.parametrize("on", [FIRST - DAY, date.min])
def test_before_the_first_row_nothing_is_in_force(on: date) -> None:
    with pytest.raises(NothingInForce, match=str(on)):
        in_force(ROWS, on)


def test_without_rows_nothing_is_in_force() -> None:
    with pytest.raises(NothingInForce):
        in_force([], FIRST)


def test_every_service_has_the_same_rule_before_the_first_row() -> None:
    long_ago = date(2019, 12, 31)
    registry, mandates = RegistryData.load(), MandateLimits.load()
    for find in (Tariffs.load().on, Offices.load().on, registry.requirements, registry.schedule, mandates.longest_days):
        with pytest.raises(NothingInForce):
            find(long_ago)
    with pytest.raises(FormNotOffered) as refused:
        ReferenceData.load().form("D", long_ago)
    assert refused.value.detail == "Form D is not offered on 2019-12-31: choose another form."
