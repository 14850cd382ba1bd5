"""A typed reference: what people confuse is corrected, and what is unusual is named."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking.references import MAX_TYPED, ReferenceMalformed, read_reference, unusual_parts

from .conftest import REFERENCE

OFFICES = ("PNH", "SHV", "SVR")
CAPITALS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=5)
A_REFERENCE = st.builds(
    "{}{}-{}-{:06}".format,
    st.sampled_from(["D", "N", "AK", "AI", "RCEP", "AANZ"]),
    st.integers(2018, 2099),
    st.sampled_from(OFFICES) | CAPITALS,
    st.integers(1, 999_999_999),
)


@pytest.mark.parametrize(
    "typed",
    [
        "d2026-pnh-000123",
        "  D2026 - PNH - 000123 ",
        "D2026–PNH–000123",
        "Ｄ2026-PNH-000123",
        "D2026-\u00a0PNH-000123",
        "D2026PNH123",
        "D2026PNH000123",
        "d 2026 pnh 123",
        "D2026/PNH/123",
        "D2026-PNH000123",
        "D2O26-PNH-OOO123",
        "D2026-PNH-000I23",
        "D2026-PNH-000l23",
        "D២០២៦-PNH-០០០១២៣",
        "D2026_PNH_123",
    ],
)
def test_what_people_confuse_is_accepted(typed: str) -> None:
    assert read_reference(typed, OFFICES) == REFERENCE


@pytest.mark.parametrize(
    "typed", ["D2026-5HV-1", "D2026", "123", "PNH-000123", "", "---", "D2026-PNH-", "D2026-PNH-1234567890", "ក"]
)
def test_what_is_no_reference_is_refused(typed: str) -> None:
    with pytest.raises(ReferenceMalformed):
        read_reference(typed, OFFICES)


def test_letters_of_an_office_may_be_typed_as_digits() -> None:
    assert read_reference("D2026-0I1-5") == "D2026-OII-000005"


def test_a_known_office_decides_where_the_number_begins() -> None:
    assert read_reference("D2026SHVO12", OFFICES) == "D2026-SHV-000012"


@given(A_REFERENCE)
def test_a_correct_reference_stays_as_it_is(reference: str) -> None:
    assert read_reference(reference, OFFICES) == reference


@given(st.text(max_size=MAX_TYPED * 2))
def test_any_typed_text_is_a_reference_or_refused(typed: str) -> None:
    try:
        assert re.fullmatch(r"[A-Z0-9]{1,8}-[A-Z]{2,5}-[0-9]{6,9}", read_reference(typed, OFFICES))
    except ReferenceMalformed:
        pass


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        (REFERENCE, []),
        ("X2026-PNH-000123", ["form"]),
        ("D2027-PNH-000123", ["year"]),
        ("D2017-PNH-000123", ["year"]),
        ("D2026-PNN-000123", ["office"]),
        ("X2099-QQ-000123", ["form", "year", "office"]),
        ("ABC12345-PNH-000123", ["form"]),
    ],
)
def test_unusual_parts_are_named(reference: str, parts: list[str]) -> None:
    found = unusual_parts(reference, forms={"D", "N"}, offices=OFFICES, this_year=2026)
    assert [each.part for each in found] == parts
