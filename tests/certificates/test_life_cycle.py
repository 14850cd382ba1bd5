"""Withdrawing, discarding, remarks by box, coded reasons, assignments, messages and copies: the rules."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.certificates.domain.assignment import AssignedToAnother, Assignment
from services.certificates.domain.consignment import BoxRemark, BoxWithoutItems, ItemUnknown
from services.certificates.domain.copying import problem_of
from services.certificates.domain.form import Criterion
from services.certificates.domain.life_cycle import NotAllowedNow, Status
from services.certificates.domain.message import MAX_MESSAGES, Message, MessageIdTaken, Side, TooManyMessages
from services.certificates.domain.product import Product, ProductStatus
from services.certificates.domain.reason import RejectionReasonUnknown, must_be_reasons
from services.certificates.reference_data import ReferenceData
from services.certificates.store.products import LISTED_AS, listed_as
from tests.certificates.builders import OFFICER, SECOND_OFFICER, TODAY, a_certificate, a_form, an_item, do

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def test_a_withdrawn_certificate_is_revised_and_submitted_again_for_another_fee() -> None:
    certificate = a_certificate(Status.REVIEWED)
    certificate.withdraw()
    assert certificate.waits_for(settled=False) == ("submission",)

    do(certificate, "revise")
    assert certificate.status is Status.WITHDRAWN
    do(certificate, "submit")
    assert (certificate.status, certificate.submission, certificate.reviewed_by) == (Status.SUBMITTED, 2, None)


@pytest.mark.parametrize("status", [Status.DRAFT, Status.RETURNED, Status.WITHDRAWN])
def test_what_nobody_works_on_is_discarded_for_good(status: Status) -> None:
    certificate = a_certificate(status)
    certificate.discard()
    assert certificate.waits_for(settled=False) == ()
    for act in ("revise", "submit", "discard", "withdraw"):
        with pytest.raises(NotAllowedNow):
            do(certificate, act)


def test_remarks_on_boxes_are_kept_until_the_next_submission() -> None:
    certificate = a_certificate(Status.SUBMITTED, items=[an_item(), an_item()])
    remarks = [BoxRemark(box=7, item=2, text="សូមបញ្ជាក់"), BoxRemark(box=2, text="Address?"), BoxRemark(box=8, text="All items")]
    certificate.return_for_correction("Boxes 2 and 7.", remarks)
    assert certificate.box_remarks == remarks
    do(certificate, "revise")
    assert certificate.box_remarks == remarks
    do(certificate, "submit")
    assert certificate.box_remarks is None


@pytest.mark.parametrize(
    ("box", "item", "refused"),
    [(7, 2, ItemUnknown), (4, 1, BoxWithoutItems), (11, 1, BoxWithoutItems), (5, 1, None), (10, 1, None), (13, None, None)],
)
def test_a_remark_names_an_item_only_in_boxes_with_items(box: int, item: int | None, refused: Any) -> None:
    certificate = a_certificate(Status.SUBMITTED)
    remark = BoxRemark(box=box, item=item, text="x")
    if refused is None:
        certificate.return_for_correction("x", [remark])
        return
    with pytest.raises(refused) as refusal:
        certificate.return_for_correction("x", [remark])
    assert refusal.value.fields == ("boxes.0.item",)
    assert (certificate.status, certificate.box_remarks) == (Status.SUBMITTED, None)


def test_an_approved_certificate_is_rejected_only_while_it_is_held() -> None:
    certificate = a_certificate(Status.APPROVED)
    with pytest.raises(NotAllowedNow):
        certificate.reject("x")
    certificate.hold("exporter_suspended")
    certificate.reject("x", ["not_entitled", "false_statement", "not_entitled"])
    assert (certificate.status, certificate.reasons) == (Status.REJECTED, ["not_entitled", "false_statement"])
    assert certificate.waits_for(settled=False) == ()


def test_only_a_certificate_in_process_can_be_assigned() -> None:
    for status in Status:
        if status in (Status.SUBMITTED, Status.REVIEWED, Status.APPROVED):
            a_certificate(status).must_be_in_process()
        else:
            with pytest.raises(NotAllowedNow):
                a_certificate(status).must_be_in_process()


def test_an_assignment_refuses_another_officer_until_it_expires() -> None:
    assignment = Assignment(certificate_id=uuid4(), officer=OFFICER, until=NOW + timedelta(hours=4))
    assignment.must_allow(OFFICER, NOW)
    assignment.must_allow(SECOND_OFFICER, assignment.until)
    with pytest.raises(AssignedToAnother) as refusal:
        assignment.must_allow(SECOND_OFFICER, NOW)
    assert refusal.value.values == {"until": "2026-11-23T07:00:00Z"}


def test_every_reason_of_rejection_has_a_text_in_both_languages_and_unknown_codes_are_refused() -> None:
    known = ReferenceData.load().rejection_reasons(TODAY)
    assert all(reason.text.keys() == {"en", "km"} and all(reason.text.values()) for reason in known)
    must_be_reasons([reason.code for reason in known], known)
    with pytest.raises(RejectionReasonUnknown) as refusal:
        must_be_reasons([known[0].code, "bad_mood"], known)
    assert refusal.value.fields == ("codes.1",)


def test_before_its_first_day_there_is_no_reason() -> None:
    assert ReferenceData.load().rejection_reasons(TODAY.replace(year=2019)) == []


def a_message(**changes: Any) -> Message:
    defaults: dict[str, Any] = {"certificate_id": uuid4(), "number": 1, "side": Side.EXPORTER, "user_id": uuid4(), "at": NOW}
    return Message(message_id=uuid4(), **defaults | {"text": "x"} | changes)


def test_a_certificate_has_a_limited_number_of_messages() -> None:
    a_message(number=MAX_MESSAGES).must_fit()
    with pytest.raises(TooManyMessages):
        a_message(number=MAX_MESSAGES + 1).must_fit()


@pytest.mark.parametrize("changed", ["certificate_id", "user_id", "text"])
def test_a_message_id_belongs_to_one_message(changed: str) -> None:
    message = a_message()
    same: dict[str, Any] = {"certificate_id": message.certificate_id, "user_id": message.user_id, "text": message.text}
    message.must_repeat(**same)
    with pytest.raises(MessageIdTaken):
        message.must_repeat(**same | {changed: "other" if changed == "text" else uuid4()})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"status": ProductStatus.REFUSED}, "product_refused"),
        ({"status": ProductStatus.REGISTERED}, "product_not_approved"),
        ({"exporter_id": uuid4()}, "product_not_found"),
        ({"exporter_id": uuid4(), "status": ProductStatus.REFUSED}, "product_not_found"),
        ({"criterion": Criterion("PE")}, "criterion_not_in_form"),
        ({"valid_until": TODAY - timedelta(days=1)}, "product_expired"),
        ({"valid_until": TODAY}, None),
        ({"status": ProductStatus.RENEWING, "valid_until": TODAY}, None),
    ],
)
def test_a_copy_names_what_has_become_invalid(changes: dict[str, Any], problem: str | None) -> None:
    exporter_id = uuid4()
    defaults: dict[str, Any] = {"exporter_id": exporter_id, "criterion": Criterion("WO"), "status": ProductStatus.APPROVED}
    product = Product(product_id=uuid4(), description="Shirts", hs_code="610910", handicraft=False, **defaults | changes)
    assert problem_of(product, exporter_id, a_form(), TODAY) == problem
    if problem != "criterion_not_in_form":
        assert problem_of(product, exporter_id, None, TODAY) == problem
    assert problem_of(None, exporter_id, a_form(), TODAY) == "product_not_found"


@pytest.mark.parametrize(
    ("description", "key"),
    [("Épices\nde KAMPOT", "epicesde kampot"), ("ខ្មែរ", ""), ('"' * 100, '"' * LISTED_AS), ("A" * 2000, "a" * LISTED_AS)],
)
def test_products_are_sorted_by_plain_characters_that_fit_into_a_cursor(description: str, key: str) -> None:
    assert listed_as(description) == key
