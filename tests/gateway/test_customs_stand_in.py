"""The stand-in for a national customs system."""

import httpx
import pytest

from deploy.embedded.customs import CustomsAway, NotADocument, decide
from shared.xml.documents import write_document

from .builders import a_form, an_export_declaration, an_item
from .conftest import RULES

CIGARS = write_document(a_form(items=(an_item(), an_item(2, hs_code="24021000"))))


def test_a_document_that_no_rule_matches_is_accepted() -> None:
    assert decide(write_document(a_form()), "VN", RULES) == {"decision": "accepted"}


def test_a_document_is_rejected_with_the_reason_of_each_rule_that_matches_an_item() -> None:
    items = (an_item(hs_code="24021000"), an_item(2, hs_code="24022000"), an_item(3, hs_code="990100"))
    form = write_document(a_form(items=items))
    answer = decide(form, "VN", RULES)
    assert answer["decision"] == "rejected"
    assert [reason["code"] for reason in answer["reasons"]] == ["restricted_goods", "hs_code_not_recognised"]  # type: ignore[attr-defined]


def test_a_declaration_is_decided_by_the_same_rules() -> None:
    declared = an_export_declaration()
    cigars = declared.items[0].model_copy(update={"hs_code": "24021000"})
    assert decide(write_document(declared), "VN", RULES) == {"decision": "accepted"}
    answer = decide(write_document(declared.model_copy(update={"items": (cigars,)})), "VN", RULES)
    assert answer["decision"] == "rejected"


def test_a_rule_of_one_country_does_not_hold_in_another() -> None:
    assert decide(CIGARS, "TH", RULES) == {"decision": "accepted"}


@pytest.mark.parametrize("other", [b"", b"<html/>", b"<!DOCTYPE x><x/>", b"hello"])
def test_a_request_that_is_not_an_e_form_d_is_refused(other: bytes) -> None:
    with pytest.raises(NotADocument):
        decide(other, "VN", RULES)


def test_it_answers_over_http(customs_address: str) -> None:
    with httpx.Client(base_url=customs_address, trust_env=False) as client:
        assert client.post("/VN/documents", content=CIGARS).json()["decision"] == "rejected"
        assert client.post("/TH/documents", content=CIGARS).json() == {"decision": "accepted"}
        assert client.post("/TH/documents", content=b"<html/>").status_code == 400
        assert client.post("/elsewhere", content=CIGARS).status_code == 404
        assert client.post("/VN/documents", content=b"").status_code == 413


def test_a_rule_can_leave_a_document_without_a_decision() -> None:
    away = {"country": "VN", "hs_prefix": "2402", "away": True}
    with pytest.raises(CustomsAway):
        decide(CIGARS, "VN", [*RULES, away])
    assert decide(CIGARS, "TH", [away]) == {"decision": "accepted"}
