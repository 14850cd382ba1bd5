"""Originals of back-to-back certificates: what they cover, until when, and sums without a rounding error."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.certificates.domain.original import (
    MOST,
    Line,
    Original,
    OriginalCircular,
    OriginalDatesWrong,
    OriginalExpired,
    OriginalLineDenied,
    OriginalLineTwice,
    OriginalLineUnknown,
    OriginalNotUsable,
    OriginalUnitDiffers,
    as_quantity,
    id_of,
    in_millionths,
    must_be_distinct,
    must_be_possible,
    valid_until,
)
from tests.certificates.builders import TODAY, a_certificate, a_form, do

A_YEAR = date(2027, 11, 23)


def an_original(**changes: Any) -> Original:
    """An original of Thailand with one line of 5,000 pieces."""
    line = Line(number=1, hs_code="610910", description="T-shirts", quantity=in_millionths(Decimal(5000)), unit="PCS")
    defaults: dict[str, Any] = {
        "original_id": id_of("TH", "D2026-BKK-000001"),
        "country": "TH",
        "reference": "D2026-BKK-000001",
        "issued_on": date(2026, 3, 2),
        "valid_until": date(2027, 3, 2),
        "consignee": "Angkor Trading",
        "version": 1,
        "lines": {1: line},
    }
    return Original(**defaults | changes)


@given(st.decimals(min_value=0, max_value=10**12, places=6))
def test_a_quantity_with_six_places_is_kept_exactly(quantity: Decimal) -> None:
    assert as_quantity(in_millionths(quantity)) == quantity


@given(st.decimals(min_value=0, max_value=Decimal("1E+400"), allow_nan=False))
def test_a_quantity_of_another_country_is_never_more_than_it_was(quantity: Decimal) -> None:
    assert 0 <= in_millionths(quantity) <= MOST
    assert as_quantity(in_millionths(quantity)) <= quantity


def test_a_quantity_has_no_zeros_at_its_end() -> None:
    assert [str(as_quantity(each)) for each in (0, 5_000_000_000, 1_500_000, 1)] == ["0", "5000", "1.5", "0.000001"]


def test_an_original_is_valid_on_its_last_day_and_not_after_it() -> None:
    an_original().must_be_valid(date(2027, 3, 2), "reference")
    with pytest.raises(OriginalExpired):
        an_original().must_be_valid(date(2027, 3, 3), "reference")
    with pytest.raises(OriginalNotUsable):
        an_original(usable=False).must_be_valid(TODAY, "reference")


@pytest.mark.parametrize("changes", [{"country": "KH"}, {"based_on": ["KH"]}, {"country": "VN"}, {"based_on": ["SG", "VN"]}])
def test_goods_do_not_return_to_a_country_that_certified_them(changes: dict[str, Any]) -> None:
    with pytest.raises(OriginalCircular):
        an_original(**changes).must_not_return_to(("KH", "VN"), "reference")


def test_an_original_of_another_country_is_not_circular() -> None:
    an_original(based_on=["SG"]).must_not_return_to(("KH", "VN"), "reference")


def test_a_line_covers_an_item_of_its_own_unit() -> None:
    assert an_original().line_for(1, "PCS", "items.0").number == 1
    with pytest.raises(OriginalUnitDiffers) as refused:
        an_original().line_for(1, "DZN", "items.0")
    assert (refused.value.fields, refused.value.values) == (("items.0.unit",), {"unit": "PCS", "given": "DZN"})
    with pytest.raises(OriginalLineUnknown):
        an_original().line_for(2, "PCS", "items.0")
    denied = Line(number=1, hs_code="610910", description="", quantity=1, unit="PCS", denied=True)
    with pytest.raises(OriginalLineDenied):
        an_original(lines={1: denied}).line_for(1, "PCS", "items.0")


def test_a_line_that_became_smaller_than_what_was_taken_has_nothing_left() -> None:
    assert Line(number=1, hs_code="610910", description="", quantity=3, unit="PCS", taken=5).remaining == 0


@pytest.mark.parametrize(
    ("issued_on", "until", "field"),
    [
        (TODAY + timedelta(days=1), A_YEAR, "issued_on"),
        (TODAY, TODAY - timedelta(days=1), "valid_until"),
        (TODAY, A_YEAR + timedelta(days=1), "valid_until"),
    ],
)
def test_impossible_dates_of_a_paper_original_are_refused(issued_on: date, until: date, field: str) -> None:
    with pytest.raises(OriginalDatesWrong) as refused:
        must_be_possible(issued_on, until, TODAY)
    assert refused.value.fields == (field,)


def test_the_number_of_a_line_is_used_once() -> None:
    must_be_possible(TODAY, A_YEAR, TODAY)
    must_be_distinct([1, 2, 3])
    with pytest.raises(OriginalLineTwice) as refused:
        must_be_distinct([1, 2, 1])
    assert refused.value.fields == ("lines.2.number",)


def test_a_certificate_expires_with_its_earliest_original() -> None:
    originals = [an_original(valid_until=date(2027, 5, 1)), an_original(valid_until=date(2027, 2, 1))]
    assert valid_until(A_YEAR, originals) == date(2027, 2, 1)
    assert valid_until(A_YEAR, [an_original(valid_until=date(2028, 1, 1))]) == A_YEAR
    certificate = a_certificate()
    for act in ("submit", "review", "approve"):
        do(certificate, act)
    certificate.issue("D2026-PNH-000001", TODAY, a_form(), originals)
    assert certificate.valid_until == date(2027, 2, 1)
