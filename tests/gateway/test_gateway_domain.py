"""A transmission advances step by step, and customs decide once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain import (
    DecidedAlready,
    DocumentDiffers,
    InboundDocument,
    NotTheDestination,
    NotTheIssuer,
    ReferenceMismatch,
    Step,
    StepNotAllowed,
    Transmission,
    WrongDestination,
    must_match_envelope,
)
from shared.contracts.gateway.transmissions import NEXT_CODES, StatusCode

from .builders import EXPORTER, NOON, a_form


def a_transmission(*codes: str) -> Transmission:
    transmission = Transmission(uuid4(), uuid4(), EXPORTER, "D2026-PNH-000123", "VN", 1, "{}")
    for code in codes:
        transmission.reach(Step(code, NOON, "KH"), NEXT_CODES)
    return transmission


def an_inbound_document() -> InboundDocument:
    return InboundDocument(uuid4(), "KH", "D2026-PNH-000123", 1, "{}", b"", NOON)


def test_a_transmission_goes_from_gateway_to_gateway_to_customs() -> None:
    transmission = a_transmission("AS1", "AS2", "REC")
    assert (transmission.code, transmission.version) == ("REC", 3)
    assert [step.position for step in transmission.steps] == [1, 2, 3]


def test_a_code_that_was_reached_before_adds_no_step() -> None:
    transmission = a_transmission("AS1", "AS2", "REC")
    assert not transmission.reach(Step("AS2", NOON + timedelta(hours=1), "VN"), NEXT_CODES)
    assert (transmission.code, transmission.version) == ("REC", 3)
    assert transmission.steps[1].at == NOON


@pytest.mark.parametrize(("reached", "next_code"), [((), "AS2"), (("AS1",), "REC"), (("AS1", "AS2", "REC"), "NOT")])
def test_a_step_out_of_order_is_refused(reached: tuple[str, ...], next_code: str) -> None:
    transmission = a_transmission(*reached)
    with pytest.raises(StepNotAllowed):
        transmission.reach(Step(next_code, NOON, "VN"), NEXT_CODES)
    assert transmission.version == len(reached)


@pytest.mark.parametrize("end", ["NOT", "CAN"])
def test_nothing_follows_a_rejection_or_a_cancellation(end: str) -> None:
    for code in set(StatusCode) - {"AS1", end}:
        with pytest.raises(StepNotAllowed):
            a_transmission("AS1", end).reach(Step(code, NOON, "VN"), NEXT_CODES)


@given(st.lists(st.sampled_from(list(StatusCode)), max_size=20))
def test_every_step_is_allowed_after_the_one_before(codes: list[StatusCode]) -> None:
    transmission = a_transmission()
    for code in codes:
        try:
            is_news = transmission.reach(Step(code, NOON, "VN"), NEXT_CODES)
        except StepNotAllowed:
            is_news = False
        assert not is_news or transmission.code == code
    reached = [step.code for step in transmission.steps]
    assert all(after in NEXT_CODES[before] for before, after in zip([None, *reached], reached, strict=False))
    assert len(set(reached)) == len(reached) == transmission.version
    assert [step.position for step in transmission.steps] == list(range(1, len(reached) + 1))


def test_only_the_destination_decides() -> None:
    a_transmission("AS1").must_be_decided_by("VN")
    with pytest.raises(NotTheDestination):
        a_transmission("AS1").must_be_decided_by("TH")


def test_customs_decide_once() -> None:
    inbound = an_inbound_document()
    assert not inbound.accepted
    inbound.decide(NOON, [])
    assert inbound.accepted
    with pytest.raises(DecidedAlready):
        inbound.decide(NOON, [{"code": "late", "detail": "Too late."}])


def test_a_refused_document_is_not_accepted() -> None:
    inbound = an_inbound_document()
    inbound.decide(NOON, [{"code": "restricted_goods", "detail": "Needs a licence."}])
    assert not inbound.accepted


def test_another_document_under_the_same_number_is_refused() -> None:
    an_inbound_document().must_hold("{}")
    with pytest.raises(DocumentDiffers):
        an_inbound_document().must_hold('{"reference": "other"}')


def test_a_document_must_come_from_its_issuer_to_its_destination_under_its_own_reference() -> None:
    where = {"sender": "KH", "receiver": "VN", "reference": "D2026-PNH-000123"}
    must_match_envelope(a_form(), **where)
    for changes, refusal in (
        ({"sender": "TH"}, NotTheIssuer),
        ({"receiver": "TH"}, WrongDestination),
        ({"reference": "D2026-PNH-000124"}, ReferenceMismatch),
    ):
        with pytest.raises(refusal):
            must_match_envelope(a_form(), **where | changes)
