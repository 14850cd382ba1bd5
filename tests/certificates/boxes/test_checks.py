"""The rules of the boxes of Form D: each is a named check, and all problems come together."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from services.certificates.domain.boxes import CHECKS, must_be_sound, must_be_storable, problems_of
from services.certificates.domain.boxes.check import Level
from services.certificates.domain.boxes.criterion import must_be_claimable
from services.certificates.domain.boxes.sheet import Content, Sheet
from services.certificates.domain.consignment import Exhibition, Invoice, InvoicingCompany, Item
from services.certificates.domain.form import ContentBelowThreshold, Criterion, CriterionNotInForm
from services.certificates.domain.nomenclature import Line as HsLine
from services.certificates.domain.nomenclature import Nomenclature
from services.certificates.domain.original import Line, Original, OriginalLine, id_of
from services.certificates.domain.product import ProductStatus
from shared.contracts.certificates.checking import CheckLevel
from shared.refusals import LANGUAGES, Refused, SeveralProblems, sentences
from tests.certificates.builders import TODAY, a_consignment, a_form, a_product, a_sheet, an_item

Changes = dict[str, Any]


def found(sheet: Sheet) -> list[tuple[int, str, str, tuple[str, ...]]]:
    """What the checks find: box, level, code and fields."""
    return [(each.check.box, each.check.level, each.problem.code, each.problem.fields) for each in problems_of(sheet)]


def values(cases: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Named cases without their names."""
    return [each[1:] for each in cases]


def names(cases: Sequence[tuple[Any, ...]]) -> list[str]:
    """The names of cases."""
    return [each[0] for each in cases]


def an_original(**changes: Any) -> Original:
    """A certificate of Viet Nam with one line of 100 cartons."""
    defaults: Changes = {
        "original_id": id_of("VN", "VN-1"),
        "country": "VN",
        "reference": "VN-1",
        "issued_on": TODAY - timedelta(days=30),
        "valid_until": TODAY + timedelta(days=300),
        "consignee": "Angkor Trading",
        "version": 1,
        "lines": {1: Line(number=1, hs_code="610910", description="T-shirts", quantity=10**9, unit="PCS")},
    }
    return Original(**defaults | changes)


BACK_TO_BACK = OriginalLine(country="VN", reference="VN-1", issued_on=TODAY - timedelta(days=30), line=1)


def a_back_to_back_sheet(
    original: Original | None, *, wanted: OriginalLine = BACK_TO_BACK, destination: str = "SG", **item: Any
) -> Sheet:
    consignment = a_consignment(destination=destination, items=[an_item(original=wanted, **item)])
    return a_sheet(consignment, form=a_form(back_to_back=True), originals={1: original} if original else {})


def test_a_correct_certificate_has_no_problem_and_no_note() -> None:
    assert found(a_sheet()) == []
    assert found(a_back_to_back_sheet(an_original())) == []


ITEM = "consignment.items.0"
BAD_CONSIGNMENTS: list[tuple[str, Changes, int, str, str]] = [
    ("no item", {"items": []}, 5, "no_items", "consignment.items"),
    ("a departure 400 days ago", {"departure_date": TODAY - timedelta(days=400)}, 3, "departure_too_long_ago",
     "consignment.transport.departure_date"),
    ("a departure after the year 9998", {"departure_date": date(9999, 12, 31)}, 3, "departure_too_far_ahead",
     "consignment.transport.departure_date"),
    ("a consignee in a country that is no member", {"destination": "JP"}, 2, "destination_not_in_agreement",
     "consignment.destination"),
    ("a consignee in the exporting country", {"destination": "KH"}, 2, "destination_not_in_agreement",
     "consignment.destination"),
    ("an unknown office", {"office": "XXX"}, 12, "office_unknown", "consignment.office"),
    ("Khmer in box 2", {"consignee_name": "ក្រុមហ៊ុនអង្គរ"}, 2, "text_not_latin", "consignment.consignee.name"),
    ("an emoji in box 2", {"consignee_address": "12 Le Loi 🚢"}, 2, "text_not_latin", "consignment.consignee.address"),
    ("a right-to-left mark in box 3", {"vessel": "MEKONG\u202eRATS"}, 3, "text_not_latin", "consignment.transport.vessel"),
    ("Khmer in the route", {"route": "ភ្នំពេញ"}, 3, "text_not_latin", "consignment.transport.route"),
    ("BY SEA in box 3", {"vessel": "By sea MEKONG STAR"}, 3, "transport_with_mode", "consignment.transport.vessel"),
    ("BY AIR in box 3", {"vessel": "BY AIR: QD-302"}, 3, "transport_with_mode", "consignment.transport.vessel"),
    ("an exhibition without a name", {"exhibition": Exhibition(address="1 Expo Road")}, 2, "exhibition_without_name",
     "consignment.exhibition.name"),
    ("an exhibition without an address", {"exhibition": Exhibition(name="Food Expo")}, 2, "exhibition_without_address",
     "consignment.exhibition.address"),
    ("a third country without a name", {"third_country_invoice": InvoicingCompany(country="HK")}, 7,
     "third_country_without_name", "consignment.third_country_invoice.name"),
    ("a company without its country", {"third_country_invoice": InvoicingCompany(name="Broker Ltd")}, 7,
     "third_country_missing", "consignment.third_country_invoice.country"),
    ("a third country that is the exporting one", {"third_country_invoice": InvoicingCompany(name="Broker", country="KH")}, 7,
     "third_country_is_origin", "consignment.third_country_invoice.country"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "box", "code", "field"), values(BAD_CONSIGNMENTS), ids=names(BAD_CONSIGNMENTS))
def test_a_bad_consignment_is_refused_by_its_box(changes: Changes, box: int, code: str, field: str) -> None:
    sheet = a_sheet(a_consignment(**changes))

    assert [(each[0], each[2], each[3]) for each in found(sheet)] == [(box, code, (field,))]
    with pytest.raises(Refused) as refused:
        must_be_sound(sheet)
    assert (refused.value.code, refused.value.fields, refused.value.values["box"]) == (code, (field,), str(box))
    assert all(code in sentences(language) for language in LANGUAGES)


THREE = [Invoice(number="INV-2"), Invoice(number="INV-3", date=TODAY)]
BAD_ITEMS: list[tuple[str, Changes, int, str, str]] = [
    ("a negative FOB value", {"fob_amount": Decimal("-1")}, 9, "fob_not_positive", "fob.amount"),
    ("an FOB value of zero", {"fob_amount": Decimal("0.00")}, 9, "fob_not_positive", "fob.amount"),
    ("three invoices, one without its date", {"more_invoices": THREE}, 10, "invoice_without_date", "more_invoices.0.date"),
    ("an invoice named twice", {"more_invoices": [Invoice(number="INV-1", date=TODAY - timedelta(days=2))]}, 10,
     "invoice_twice", "more_invoices.0.number"),
    ("a missing manufacturer", {"manufacturer": None}, 7, "manufacturer_missing", "manufacturer"),
    ("a Khmer manufacturer", {"manufacturer": "អង្គរ"}, 7, "text_not_latin", "manufacturer"),
    ("an emoji in the marks", {"marks": "SAT 👕"}, 6, "text_not_latin", "marks"),
    ("a right-to-left mark in the trade mark", {"trade_mark": "A\u200fB"}, 7, "text_not_latin", "trade_mark"),
    ("Khmer in the number of an invoice", {"invoice_number": "វិ-១"}, 10, "text_not_latin", "invoice_number"),
    ("PE", {"criterion": Criterion("PE")}, 8, "criterion_not_in_form", "product_id"),
    ("RVC of 39.999 %", {"criterion": Criterion("RVC", Decimal("39.999"))}, 8, "content_below_threshold", "product_id"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "box", "code", "field"), values(BAD_ITEMS), ids=names(BAD_ITEMS))
def test_a_bad_item_is_refused_by_its_box_with_its_number(changes: Changes, box: int, code: str, field: str) -> None:
    sheet = a_sheet(a_consignment(items=[an_item(), an_item(**changes)]))

    (problem,) = problems_of(sheet)
    assert (problem.check.box, problem.item, problem.problem.code) == (box, 2, code)
    assert problem.problem.fields == (f"consignment.items.1.{field}",)
    with pytest.raises(Refused) as refused:
        must_be_sound(sheet)
    assert refused.value.values.items() >= {("box", str(box)), ("item", "2")}


BAD_ORIGINALS: list[tuple[str, Callable[[], Sheet], str, str]] = [
    ("an unknown original", lambda: a_back_to_back_sheet(None), "original_not_found", "original.reference"),
    ("another date", lambda: a_back_to_back_sheet(an_original(issued_on=TODAY)), "original_not_found", "original.reference"),
    ("a cancelled original", lambda: a_back_to_back_sheet(an_original(usable=False)), "original_not_usable",
     "original.reference"),
    ("an expired original", lambda: a_back_to_back_sheet(an_original(valid_until=TODAY - timedelta(days=1))),
     "original_expired", "original.reference"),
    ("goods that return to Viet Nam", lambda: a_back_to_back_sheet(an_original(), destination="VN"), "original_circular",
     "original.reference"),
    ("goods that were in Cambodia before", lambda: a_back_to_back_sheet(an_original(based_on=["KH"])), "original_circular",
     "original.reference"),
    ("a line that is not there", lambda: a_back_to_back_sheet(an_original(), wanted=replace(BACK_TO_BACK, line=2)),
     "original_line_unknown", "original.line"),
    ("another unit than the original", lambda: a_back_to_back_sheet(an_original(), unit="KGM"), "original_unit_differs",
     "unit"),
]  # fmt: skip


@pytest.mark.parametrize(("sheet", "code", "field"), values(BAD_ORIGINALS), ids=names(BAD_ORIGINALS))
def test_a_bad_original_is_refused_in_box_7(sheet: Callable[[], Sheet], code: str, field: str) -> None:
    assert found(sheet()) == [(7, Level.SUBMIT, code, (f"{ITEM}.{field}",))]


def test_back_to_back_goods_need_a_form_that_has_them() -> None:
    sheet = replace(a_back_to_back_sheet(an_original()), form=a_form())
    assert found(sheet) == [(7, Level.DRAFT, "back_to_back_not_in_form", (f"{ITEM}.original.reference",))]


def test_a_code_that_the_loaded_edition_lacks_is_refused_and_without_an_edition_none_is() -> None:
    sheet = a_sheet()
    other, same = (Nomenclature("AHTN 2022", [HsLine(code, "T-shirts")]) for code in ("620520", "610910"))

    (problem,) = problems_of(replace(sheet, nomenclature=other))
    assert (problem.check.box, problem.item, problem.problem.fields) == (7, 1, (f"{ITEM}.hs_code",))
    assert problem.problem.code in ("hs_code_unknown", "hs_code_unlike_any")
    assert found(replace(sheet, nomenclature=same)) == []
    assert found(sheet) == []


def test_all_problems_come_together_by_box_and_item() -> None:
    items = [an_item(manufacturer=None), an_item(fob_amount=Decimal(0), manufacturer=None, more_invoices=THREE)]
    sheet = a_sheet(a_consignment(destination="JP", vessel="BY SEA X", items=items), exporter=None)

    with pytest.raises(SeveralProblems) as refused:
        must_be_sound(sheet)

    problems = [(each.values["box"], each.values.get("item"), each.code) for each in refused.value.problems]
    assert problems == [
        ("1", None, "exporter_not_registered"),
        ("2", None, "destination_not_in_agreement"),
        ("3", None, "transport_with_mode"),
        ("7", "1", "manufacturer_missing"),
        ("7", "2", "manufacturer_missing"),
        ("9", "2", "fob_not_positive"),
        ("10", "2", "invoice_without_date"),
    ]
    assert refused.value.values == {"count": "7"}
    assert {f"{ITEM}.manufacturer", "consignment.destination", "exporter_id"} <= set(refused.value.fields)


def test_a_draft_is_refused_only_for_what_cannot_be_stored() -> None:
    sheet = a_sheet(a_consignment(items=[an_item(manufacturer=None, fob_amount=Decimal(-5))], vessel="BY SEA X"))
    must_be_storable(sheet)

    with pytest.raises(SeveralProblems) as refused:
        must_be_storable(replace(sheet, content=replace(sheet.content, destination="JP", office="XXX")))
    assert [each.code for each in refused.value.problems] == ["destination_not_in_agreement", "office_unknown"]


def test_a_product_that_was_refused_since_is_refused_at_the_submission() -> None:
    consignment = a_consignment()
    (item,) = consignment.items
    sheet = a_sheet(consignment)
    refused = a_product(item, sheet.exporter_id, status=ProductStatus.REFUSED)

    assert found(replace(sheet, products={item.product_id: refused})) == [
        (7, Level.DRAFT, "product_not_approved", (f"{ITEM}.product_id",))
    ]
    assert [each[2] for each in found(replace(sheet, products={}))] == ["product_not_found"]
    assert [each[2] for each in found(replace(sheet, exporter_id=uuid4()))] == ["product_not_found"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"departure_date": TODAY - timedelta(days=3)}, "departed_already"),
        ({"items": [an_item(description="Goods")]}, "description_too_short"),
        ({"items": [an_item(invoice_date=TODAY + timedelta(days=1))]}, "invoice_in_future"),
    ],
)
def test_a_note_is_shown_and_never_refuses(changes: Changes, code: str) -> None:
    sheet = a_sheet(a_consignment(**changes))
    assert [(each[1], each[2]) for each in found(sheet)] == [(Level.NOTE, code)]
    must_be_sound(sheet)


def test_another_classification_at_the_destination_is_only_a_note() -> None:
    item = an_item()
    sheet = a_sheet(a_consignment(items=[item]))
    other = a_product(item, sheet.exporter_id, hs_code="620520")
    assert [each[2] for each in found(replace(sheet, products={item.product_id: other}))] == ["hs_code_of_another_product"]


def test_an_invoice_of_several_items_has_one_date_and_one_currency() -> None:
    items = [an_item(), an_item(invoice_date=TODAY, fob_currency="EUR")]
    assert [(each[0], each[2]) for each in found(a_sheet(a_consignment(items=items)))] == [
        (9, "invoice_currencies_differ"),
        (10, "invoice_dates_differ"),
    ]


def test_what_is_not_filled_in_yet_is_no_problem() -> None:
    empty = replace(a_sheet(), content=Content(count=1))
    assert found(empty) == []


def test_an_invisible_character_is_named_by_its_code() -> None:
    (problem,) = problems_of(a_sheet(a_consignment(vessel="A\u202eB")))
    assert problem.problem.values["character"] == "U+202E"
    (problem,) = problems_of(a_sheet(a_consignment(vessel="នាវា")))
    assert problem.problem.values["character"] == "ន (U+1793)"


@pytest.mark.parametrize(
    ("criterion", "refusal"),
    [
        (Criterion("PE"), CriterionNotInForm),
        (Criterion("RVC", Decimal("39.999")), ContentBelowThreshold),
        (Criterion("RVC", Decimal("0")), ContentBelowThreshold),
    ],
)
def test_a_product_cannot_claim_what_no_form_takes(criterion: Criterion, refusal: type[Refused]) -> None:
    with pytest.raises(refusal):
        must_be_claimable(criterion, [a_form()])
    must_be_claimable(
        criterion, [a_form(), a_form(name="X", criteria=frozenset({"PE", "RVC"}), thresholds={"RVC": Decimal(0)})]
    )


def test_every_check_has_a_name_a_source_and_a_meaning() -> None:
    assert len({each.name for each in CHECKS}) == len(CHECKS) >= 35
    for each in CHECKS:
        assert each.source
        assert each.meaning.endswith(".")
        assert 1 <= each.box <= 13
    assert {each.value for each in Level} == {each.value for each in CheckLevel}
    assert {each.box for each in CHECKS} == {*range(1, 14)} - {4, 11}


@pytest.mark.parametrize(("count", "too_large"), [(1000, False), (1300, True)])
def test_a_thousand_items_fit_into_one_document(count: int, too_large: bool) -> None:
    items: list[Item] = [an_item(invoice_number=f"INV-{number}") for number in range(count)]
    expected = [(5, Level.DRAFT, "consignment_too_large", ("consignment.items",))] if too_large else []
    assert found(a_sheet(a_consignment(items=items))) == expected
