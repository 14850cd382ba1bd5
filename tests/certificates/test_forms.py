"""The forms are files: what each says, what a wrong one is refused with, and that a new one is only a file."""

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.certificates.domain.form import (
    BackToBackNotInForm,
    ContentBelowThreshold,
    Criterion,
    DestinationIsOrigin,
    DestinationNotInAgreement,
    FormNotAvailable,
    FormNotOffered,
)
from services.certificates.form_files import FOLDER, SCHEMA, FormFileWrong, read_form_files, schema
from services.certificates.handlers import router
from services.certificates.reference_data import ReferenceData
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.forms import ListForms
from shared.contracts.certificates.issuing import CertificateIssued, CertificateSubmitted, DraftCertificate
from shared.contracts.certificates.issuing import SubmitCertificate as Submit
from shared.contracts.certificates.sealing import GetCertificateCredential, GetCertificateDocument
from tests.certificates.builders import TODAY, a_form
from tests.certificates.keys import certificate_tools
from tests.certificates.test_handlers import Trader
from tests.certificates.test_sealing import text_of
from tests.support.service_under_test import ServiceUnderTest, a_service_under_test

NEW = {
    "form": "Q",
    "title": {"en": "Agreement of two", "km": "កិច្ចព្រមព្រៀងពីរប្រទេស"},
    "agreement": "ATWO",
    "preferential": True,
    "verified": True,
    "rules": [
        {
            "effective_from": "2026-01-01",
            "source": "a test",
            "members": ["KH", "NZ"],
            "criteria": ["WO", "RVC"],
            "thresholds": {"RVC": "42.5"},
            "validity_months": 6,
            "retroactive_months": 3,
            "required_boxes": [1, 2, 7],
            "channel": None,
            "page": {
                "heading": ["AGREEMENT OF TWO"],
                "name": "Form Q",
                "official_use": ["Preference given by the other"],
                "declaration": "and that they comply with the Agreement of Two for goods exported to",
                "box_7": "Goods of the two",
                "box_8": "Criterion of the two",
                "box_9": "Weight",
                "ticks": ["issued_retroactively"],
            },
        }
    ],
}


def written(folder: Path, changes: dict[str, Any] | None = None, **rules: Any) -> Path:
    """A folder with the new form only. `rules`: changes of its rules."""
    folder.mkdir(exist_ok=True)
    content = json.loads(json.dumps(NEW)) | (changes or {})
    content["rules"] = [each | rules for each in content["rules"]]
    (folder / "q.json").write_text(json.dumps(content))
    return folder


def test_d_and_n_can_be_chosen_and_the_others_are_listed() -> None:
    files = read_form_files()

    assert {file.form for file in files if file.verified} == {"D", "N"}
    assert {file.form for file in files if not file.verified} == {
        *("E", "AK", "AJ", "AI", "AANZ", "AHK", "RCEP", "CCFTA", "CKFTA", "CEPA", "S", "A")
    }


def test_a_form_that_is_not_verified_is_refused_with_its_agreement() -> None:
    with pytest.raises(FormNotAvailable, match=r"Form E \(ACFTA\) is not available yet"):
        ReferenceData.load().form("E", TODAY)


@pytest.mark.parametrize(("name", "day"), [("X", TODAY), ("D", date(2020, 5, 31))])
def test_an_unknown_form_and_one_before_its_day_are_not_offered(name: str, day: date) -> None:
    with pytest.raises(FormNotOffered):
        ReferenceData.load().form(name, day)


def test_form_n_serves_every_country_but_our_own() -> None:
    form = ReferenceData.load().form("N", TODAY)

    for destination in ("US", "VN", "BR"):
        form.must_serve("KH", destination)
    with pytest.raises(DestinationIsOrigin):
        form.must_serve("KH", "KH")
    assert form.channel is None


def test_a_form_has_a_least_content_and_its_own_periods() -> None:
    form = a_form(thresholds={"RVC": 45}, validity_months=6, retroactive_months=3)

    with pytest.raises(ContentBelowThreshold, match="demands a regional value content of 45 %: this product reaches 44"):
        form.must_know(Criterion("RVC", 44), "product_id")  # type: ignore[arg-type]
    assert form.valid_until(date(2026, 8, 31)) == date(2027, 2, 28)
    assert form.last_day_to_issue(date(2026, 11, 30)) == date(2027, 2, 28)


def test_originals_belong_to_forms_that_have_them() -> None:
    a_form(back_to_back=True).must_allow_originals("original")
    with pytest.raises(BackToBackNotInForm):
        a_form().must_allow_originals("original")


@pytest.mark.parametrize(
    ("changes", "rules", "wrong"),
    [
        ({"form": "R"}, {}, "q.json: form: must be the name of the file, Q"),
        ({"verified": False}, {}, "a verified form has rules, and no other form has any"),
        ({"agrement": "x"}, {}, "q.json: agrement: Extra inputs are not permitted"),
        ({"title": {"en": "x"}}, {}, "q.json: title.km: Field required"),
        ({}, {"members": ["KH", "Kiribati"]}, r"q.json: rules.0.members"),
        ({}, {"effective_from": "31.12.2026"}, "q.json: rules.0.effective_from"),
        ({}, {"criteria": ["PE"]}, "q.json: rules.0.criteria.0"),
        ({}, {"thresholds": {"RVC": "140"}}, "q.json: rules.0.thresholds.RVC"),
        ({}, {"required_boxes": [14]}, "q.json: rules.0.required_boxes.0"),
        ({}, {"validity_months": 0}, "q.json: rules.0.validity_months"),
        ({}, {"page": {}}, "q.json: rules.0.page.name: Field required"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_field(
    tmp_path: Path, changes: dict[str, Any], rules: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(FormFileWrong, match=wrong):
        read_form_files(written(tmp_path / "forms", changes, **rules))


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b""])
def test_a_file_that_is_no_form_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "q.json").write_bytes(content)
    with pytest.raises(FormFileWrong, match=r"q\.json"):
        read_form_files(tmp_path)


def test_a_folder_without_forms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormFileWrong, match="has no form"):
        read_form_files(tmp_path)


def test_the_json_schema_is_the_one_of_the_files() -> None:
    assert SCHEMA.read_text() == schema(), "run `make generate`"


def test_the_code_names_no_form() -> None:
    """A form is a file, so a rule in the code that names one would be found nowhere else."""
    names = {f'"{file.stem.upper()}"' for file in FOLDER.glob("*.json")}
    modules = [file for file in FOLDER.parents[1].rglob("*.py") if "migrations" not in file.parts]
    found = {(file.name, name) for file in modules for name in names if name in file.read_text()}
    assert found == set()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    """The service with one form, which is only a file."""
    data = ReferenceData.load(written(tmp_path / "forms"))
    tools = (data, *(tool for tool in certificate_tools() if not isinstance(tool, ReferenceData)))
    async with a_service_under_test("certificates", router, tmp_path, *tools) as service:
        yield service


def a_draft(trader: Trader, **changes: Any) -> DraftCertificate:
    return DraftCertificate(**trader.a_draft(destination="NZ").model_dump() | {"form": "Q"} | changes)


async def test_a_new_form_is_drafted_submitted_issued_and_printed(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin()
    certificate_id = (await service.ask(a_draft(trader), trader.person)).certificate_id

    assert (await service.ask(Submit(certificate_id=certificate_id), trader.person)).status == "submitted"
    await trader.approve(certificate_id)
    await trader.settle(certificate_id)
    await service.do_tasks()

    state = await trader.state(certificate_id)
    assert (state.reference, state.valid_until) == ("Q2026-PNH-000001", date(2027, 5, 23))
    (submitted,) = await service.announced(CertificateSubmitted)
    (issued,) = await service.announced(CertificateIssued)
    (documented,) = await service.announced(CertificateDocumented)
    assert (submitted.form, issued.form, documented.channel) == ("Q", "Q", None)
    pdf = await service.ask(GetCertificateDocument(certificate_id=certificate_id), trader.person)
    text = " ".join(text_of(pdf.chunk).split())
    for shown in ("AGREEMENT OF TWO", "FORM Q", "Preference given by the other", "Agreement of Two for goods exported to"):
        assert shown in text
    assert "NEW ZEALAND" in text
    assert "Back-to-Back" not in text
    assert "ASEAN" not in text
    data = await service.ask(GetCertificateCredential(certificate_id=certificate_id), trader.person)
    assert data.document is not None


async def test_a_new_form_has_its_own_destinations_and_window(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin()

    refusal = await service.ask(a_draft(trader, consignment=trader.consignment(destination="VN")), trader.person)
    assert (refusal.code, refusal.fields) == (DestinationNotInAgreement.code, ("consignment.destination",))

    early = {"departure_date": "2026-08-22", "vessel": "X", "port_of_discharge": "Y"}
    draft = await service.ask(a_draft(trader, consignment=trader.consignment(destination="NZ", transport=early)), trader.person)
    refusal = await service.ask(Submit(certificate_id=draft.certificate_id), trader.person)
    assert refusal.detail == "The goods left more than 3 months ago: no Form Q can be issued for them any more."


@pytest.mark.parametrize(("form", "code"), [("D", "form_not_offered"), ("E", "form_not_offered")])
async def test_only_the_forms_of_the_files_are_drafted(service: ServiceUnderTest, form: str, code: str) -> None:
    trader = await Trader(service).begin()

    refusal = await service.ask(a_draft(trader, form=form), trader.person)

    assert (refusal.code, refusal.fields) == (code, ("form",))


async def test_the_available_forms_are_listed_first(trader_of_all: Trader) -> None:
    found = await trader_of_all.service.ask(ListForms(), trader_of_all.person)

    assert [(each.form, each.available) for each in found.forms[:3]] == [("D", True), ("N", True), ("A", False)]
    d, n = found.forms[:2]
    assert "KH" not in d.destinations
    assert (len(d.destinations), n.destinations) == (9, ())
    assert (d.channel, n.channel) == ("ASW", None)
    assert found.forms[2].title["en"] == "Generalized System of Preferences"
    assert len(found.forms) == 14


@pytest.fixture
async def trader_of_all(tmp_path: Path) -> AsyncIterator[Trader]:
    """An exporter where all forms of this release are known."""
    async with a_service_under_test("certificates", router, tmp_path, *certificate_tools()) as service:
        yield await Trader(service).begin()


@pytest.mark.parametrize("form", ["E", "CEPA"])
async def test_a_draft_for_a_form_that_is_not_verified_is_refused(trader_of_all: Trader, form: str) -> None:
    refusal = await trader_of_all.service.ask(a_draft(trader_of_all, form=form), trader_of_all.person)

    assert (refusal.code, refusal.fields) == ("form_not_available", ("form",))
    assert "not available yet" in refusal.detail


async def test_form_n_is_printed_and_not_exchanged(trader_of_all: Trader) -> None:
    service, trader = trader_of_all.service, trader_of_all
    draft = a_draft(trader, form="N", consignment=trader.consignment(destination="US"))
    certificate_id = (await service.ask(draft, trader.person)).certificate_id
    await service.ask(Submit(certificate_id=certificate_id), trader.person)
    await trader.approve(certificate_id)
    await trader.settle(certificate_id)
    await service.do_tasks()

    assert (await trader.state(certificate_id)).reference == "N2026-PNH-000001"
    (documented,) = await service.announced(CertificateDocumented)
    assert documented.channel is None
    pdf = await service.ask(GetCertificateDocument(certificate_id=certificate_id), trader.person)
    text = text_of(pdf.chunk)
    assert "FORM N" in text
    assert "UNITED STATES" in text
    assert "ASEAN" not in text
