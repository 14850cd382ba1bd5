"""The form of a certificate: items are added and removed, products fill in what is known, typed values are tidied."""

from uuid import UUID, uuid4

import pytest

from services.portal.drafts import ITEM, MAX_ITEMS, OF_AN_ITEM, Draft, tidy
from services.portal.filing_places import where
from tests.portal.test_import import ENGLISH, a_product


def a_draft(count: int = 0, **fields: str) -> Draft:
    return Draft(form_id=UUID(int=1), fields={"count": str(count), **fields})


@pytest.mark.parametrize(
    ("name", "value", "tidied"),
    [
        (f"{ITEM}.0.hs_code", " 1006.30.40 ", "10063040"),
        (f"{ITEM}.0.fob.amount", "18,500.00", "18500.00"),
        (f"{ITEM}.0.quantity", "1,5", "1,5"),
        (f"{ITEM}.0.unit", "kgm", "KGM"),
        (f"{ITEM}.0.fob.currency", "usd", "USD"),
        (f"{ITEM}.0.marks", " 1,000 ", "1,000"),
        ("consignment.consignee.name", "x" * 9000, "x" * 4000),
    ],
)
def test_typed_values_are_tidied(name: str, value: str, tidied: str) -> None:
    assert tidy(name, value) == tidied


def test_a_removed_item_leaves_no_gap_and_takes_its_product_with_it() -> None:
    draft = a_draft(
        3, **{f"{ITEM}.{n}.marks": str(n) for n in range(3)}, **{f"about.{n}.description": str(n) for n in range(3)}
    )

    left = draft.without_item(1)

    assert left.count == 2
    assert [left.of(n, "marks") for n in left.numbers] == ["0", "2"]
    assert [left.about(n, "description") for n in left.numbers] == ["0", "2"]
    assert left.without_item(7) == left


def test_a_new_item_takes_the_invoice_of_the_one_before() -> None:
    draft = a_draft(1, **{f"{ITEM}.0.invoice_number": "INV-1", f"{ITEM}.0.quantity": "5"}).with_item()

    assert draft.of(1, "invoice_number") == "INV-1"
    assert draft.of(1, "quantity") == ""
    assert a_draft(MAX_ITEMS).with_item().count == MAX_ITEMS


def test_a_chosen_product_fills_in_its_code_and_ends_the_problem_of_a_copy() -> None:
    draft = a_draft(1, **{"about.0.problem": "product_refused"})

    chosen = draft.with_product(0, a_product())

    assert chosen.of(0, "hs_code") == "10063040"
    assert chosen.about(0, "criterion") == "WO"
    assert chosen.problems() == []


def test_only_the_fields_of_a_step_are_taken() -> None:
    posted = {"certificate": [str(uuid4())], "exporter": ["x"], "consignment.office": ["PNH"]}

    draft = a_draft().typed(posted, ["consignment.office"])

    assert draft.fields.keys() == {"count", "consignment.office"}


def test_everything_that_is_missing_is_named_by_its_field() -> None:
    found, problems = a_draft(1).checked(ENGLISH)

    assert found is None
    named = {field for field, _ in problems}
    assert named >= {f"{ITEM}.0.{name}" for name in OF_AN_ITEM} - {f"{ITEM}.0.manufacturer", f"{ITEM}.0.trade_mark"}
    assert "consignment.consignee.name" in named
    assert ITEM not in named


def test_the_certificate_of_a_form_is_always_the_same() -> None:
    assert a_draft().certificate_id == a_draft(3).certificate_id
    revised = uuid4()
    assert a_draft(certificate=str(revised)).certificate_id == revised


def test_each_field_has_an_address() -> None:
    assert where(UUID(int=1), f"{ITEM}.3.hs_code").endswith("/goods/4#f-consignment-items-3-hs-code")
    assert "/transport#" in where(UUID(int=1), "consignment.transport.vessel")
    assert "/consignee#" in where(UUID(int=1), "consignment.office")
