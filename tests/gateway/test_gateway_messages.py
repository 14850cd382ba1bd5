"""Messages of every kind: no field is lost, and each has the form of its schema."""

import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.gateway.wire import messages_page, profile, schemas
from services.gateway.wire.messages import (
    Acknowledgement,
    Cancellation,
    CustomsResponse,
    Document,
    Envelope,
    ItemDecision,
    Kind,
    QuestionedItem,
    Reason,
    Receipt,
    Rejection,
    Replacement,
    RetransmissionRequest,
    VerificationAnswer,
    VerificationQuestion,
)
from services.gateway.wire.schemas import SchemaViolated, all_schemas, must_be_valid
from services.gateway.wire.signature import Signer
from services.gateway.wire.xml import read_content, read_envelope, write_message
from shared.contracts.certificates.documents import (
    Company,
    DocumentInvoice,
    DocumentItem,
    Exhibition,
    FormD,
    Money,
    Original,
    Party,
)
from shared.contracts.gateway.declarations import DeclaredItem, ExportDeclaration, Trader, TransportMode
from shared.contracts.gateway.verification import VerificationOutcome
from shared.xml.document_types import ACDD, DOCUMENT_TYPES, E_FORM_D, EXPORT_DECLARATION, FORM_D
from shared.xml.documents import parse, read_document, write_document
from shared.xml.layout import VERSIONS, Layout, NotInVersion, Part
from tests.support.programs import program

from .builders import a_form, an_item
from .test_gateway_wire import a_signed_document, an_envelope

TEXT = st.text(st.characters(codec="latin-1", exclude_categories=("Cc",), include_characters="\t\n"), min_size=1, max_size=30)
text = TEXT.map(str.strip).filter(bool)
some = st.none() | text
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=0, max_value=10**12)
days = st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))
countries = st.sampled_from(["KH", "VN", "TH"])
references = st.from_regex(r"D[0-9]{4}-[A-Z]{2,5}-[0-9]{6}", fullmatch=True)
hs_codes = st.from_regex(r"[0-9]{6,11}", fullmatch=True)
slugs = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
parties = st.builds(Party, name=text, address=text, country=st.none() | countries)
FIRST_ITEM: dict[str, Any] = {
    "number": st.integers(1, 2000),
    "marks": text,
    "packages": st.integers(1, 10**7),
    "package_kind": text,
    "description": text,
    "hs_code": hs_codes,
    "criterion": text,
    "quantity": decimals,
    "unit": st.sampled_from(["PCS", "KGM"]),
    "gross_weight_kg": decimals,
    "fob": st.none() | st.builds(Money, amount=decimals, currency=st.just("USD")),
    "invoice_number": text,
    "invoice_date": days,
}
FIRST_FORM: dict[str, Any] = {
    "reference": references,
    "issuing_country": countries,
    "office": st.from_regex(r"[A-Z]{2,5}", fullmatch=True),
    "issued_on": days,
    "valid_until": days,
    "exporter": parties,
    "consignee": parties,
    "destination": countries,
    "departure_date": days,
    "vessel": text,
    "port_of_discharge": text,
    "issued_retroactively": st.booleans(),
}


def many(strategy: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, min_size=least, max_size=3).map(tuple)


invoices = st.builds(DocumentInvoice, number=text, date=days)
first_forms = st.builds(FormD, **FIRST_FORM, items=many(st.builds(DocumentItem, **FIRST_ITEM), 1))
forms = st.builds(
    FormD,
    **FIRST_FORM,
    items=many(st.builds(DocumentItem, **FIRST_ITEM, manufacturer=some, trade_mark=some, more_invoices=many(invoices)), 1),
    route=some,
    third_country_invoice=st.none() | st.builds(Company, name=text, country=countries),
    exhibition=st.none() | st.builds(Exhibition, name=text, address=text),
    accumulation=st.booleans(),
    de_minimis=st.booleans(),
    originals=many(st.builds(Original, reference=text, country=countries, issued_on=days)),
    partial_cumulation=st.booleans(),
    declared_on=st.none() | days,
    declared_by=some,
    certified_by=some,
    replaces=st.none() | references,
)
traders = st.builds(Trader, name=text, address=some, identifier=some)
declared_items = st.builds(
    DeclaredItem,
    number=st.integers(1, 2000),
    hs_code=hs_codes,
    quantity=decimals,
    unit=st.sampled_from(["PCS", "KGM"]),
    country_of_origin=countries,
)
declarations = st.builds(
    ExportDeclaration,
    reference=references,
    issuing_country=countries,
    destination=countries,
    permit_number=text,
    exporter=traders,
    consignee=traders,
    declaring_agent=some,
    departure_date=days,
    transport_mode=st.sampled_from(TransportMode),
    port_of_discharge=text,
    certificate=st.none() | references,
    items=many(declared_items, 1),
)
first_reasons = st.builds(Reason, code=slugs, detail=text)
reasons = st.builds(Reason, code=slugs, detail=text, item=st.none() | st.integers(1, 2000))
item_numbers = st.integers(1, 2000)
used = st.builds(ItemDecision, item=item_numbers, code=st.just("UTL"))
denied = st.builds(ItemDecision, item=item_numbers, code=st.just("DEN"), reasons=many(reasons, 1))
customs = {"decided_at": instants, "declaration": some}
responses = st.one_of(
    st.builds(CustomsResponse, code=st.just("UTL"), items=many(used), **customs),
    st.builds(CustomsResponse, code=st.just("DEN"), items=many(denied), reasons=many(reasons, 1), **customs),
    st.builds(CustomsResponse, code=st.just("UTP"), items=st.tuples(used, denied), reasons=many(reasons), **customs),
)


@st.composite
def replacements(draw: Callable[..., Any]) -> Replacement:
    form, replaced = draw(forms), draw(references)
    return Replacement(replaces=replaced, form=form.model_copy(update={"replaces": replaced}))


FIRST_VERSION = {
    Kind.DOCUMENT: st.builds(Document, form=first_forms),
    Kind.RECEIPT: st.builds(Receipt, in_reply_to=st.uuids(), received_at=instants, reasons=many(first_reasons)),
    Kind.ACKNOWLEDGEMENT: st.builds(Acknowledgement, received_at=instants, available_at=instants),
    Kind.REJECTION: st.builds(Rejection, received_at=instants, rejected_at=instants, reasons=many(first_reasons, 1)),
    Kind.CANCELLATION: st.builds(Cancellation, cancelled_at=instants, reason=first_reasons),
}
SECOND_VERSION = {
    Kind.DOCUMENT: st.builds(Document, form=st.one_of(forms, declarations)),
    Kind.RECEIPT: st.builds(Receipt, in_reply_to=st.uuids(), received_at=instants, reasons=many(reasons)),
    Kind.ACKNOWLEDGEMENT: FIRST_VERSION[Kind.ACKNOWLEDGEMENT],
    Kind.REJECTION: st.builds(Rejection, received_at=instants, rejected_at=instants, reasons=many(reasons, 1)),
    Kind.CANCELLATION: st.builds(Cancellation, cancelled_at=instants, reason=reasons),
    Kind.REPLACEMENT: replacements(),
    Kind.RETRANSMISSION_REQUEST: st.builds(RetransmissionRequest, requested_at=instants, reason=reasons),
    Kind.CUSTOMS_RESPONSE: responses,
    Kind.VERIFICATION_QUESTION: st.builds(
        VerificationQuestion,
        case_id=st.uuids(),
        asked_at=instants,
        answer_by=days,
        reason=reasons,
        items=many(st.builds(QuestionedItem, item=item_numbers)),
    ),
    Kind.VERIFICATION_ANSWER: st.builds(
        VerificationAnswer,
        case_id=st.uuids(),
        answered_at=instants,
        outcome=st.sampled_from(VerificationOutcome),
        text=text,
    ),
}
MESSAGES = {1: FIRST_VERSION, 2: SECOND_VERSION}
EVERY = [(version, kind) for version in VERSIONS for kind in profile.kinds_of(version)]


def test_every_kind_of_every_version_is_tried() -> None:
    assert {version: set(kinds) for version, kinds in MESSAGES.items()} == {
        version: set(profile.kinds_of(version)) for version in VERSIONS
    }


@pytest.mark.parametrize(("version", "kind"), EVERY)
def test_a_message_loses_no_field_and_has_the_form_of_its_schema(version: int, kind: Kind) -> None:
    envelopes = st.builds(
        Envelope,
        message_id=st.uuids(),
        kind=st.just(kind),
        sender=countries,
        receiver=countries,
        sent_at=instants,
        reference=references,
        number=st.integers(1, 9999),
    )

    @settings(max_examples=25)
    @given(envelopes, MESSAGES[version][kind])
    def reads_what_was_written(envelope: Envelope, content: Any) -> None:
        root = parse(etree.tostring(write_message(envelope, content, version)))
        must_be_valid(root, kind, version)
        assert read_envelope(root, version) == envelope
        assert read_content(root, kind, version) == content

    reads_what_was_written()


@settings(max_examples=40)
@given(st.one_of(forms, declarations))
def test_a_document_without_an_envelope_loses_no_field(document: Any) -> None:
    assert read_document(parse(write_document(document)), 2) == document


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (Document(form=a_form(accumulation=True)), "AccumulationIndicator"),
        (Document(form=a_form(exhibition=Exhibition(name="Expo", address="Hanoi"))), "Exhibition"),
        (Document(form=a_form(third_country_invoice=Company(name="A", country="SG"))), "ThirdCountryInvoicing"),
    ],
)
def test_a_version_that_cannot_express_a_value_is_not_written(content: Document, field: str) -> None:
    with pytest.raises(NotInVersion, match=field):
        write_message(an_envelope(), content, 1)


def test_a_version_leaves_out_what_the_description_repeats() -> None:
    item = an_item(description="T-shirts\nManufacturer: Angkor", manufacturer="Angkor", trade_mark="ANGKOR")

    message = etree.tostring(write_message(an_envelope(), Document(form=a_form(items=(item,))), 1)).decode()

    assert "Manufacturer: Angkor" in message
    assert "ANGKOR" not in message


def test_a_kind_of_a_later_version_is_not_written() -> None:
    request = RetransmissionRequest(requested_at=an_envelope().sent_at, reason=Reason(code="lost", detail="Lost."))
    with pytest.raises(NotInVersion, match="version 1 has no RetransmissionRequest"):
        write_message(an_envelope(Kind.RETRANSMISSION_REQUEST), request, 1)


def test_a_kind_of_a_later_version_is_not_valid() -> None:
    with pytest.raises(SchemaViolated, match="Replacement"):
        must_be_valid(write_message(an_envelope(), Document(form=a_form()), 1), Kind.REPLACEMENT, 1)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"vessel": ""}, "Name"),
        ({"items": ()}, "Consignment"),
        ({"items": (an_item(hs_code="61"),)}, "ID"),
        ({"items": (an_item(quantity=Decimal(-1)),)}, "TariffQuantity"),
        ({"office": "Phnom Penh"}, "ID"),
    ],
)
def test_a_document_without_the_form_of_the_schema_is_not_valid(change: dict[str, Any], place: str) -> None:
    root = write_message(an_envelope(), Document(form=a_form(**change)))
    with pytest.raises(SchemaViolated, match=place) as violated:
        must_be_valid(root, Kind.DOCUMENT, 2)
    assert "Angkor" not in str(violated.value)


def test_an_element_that_no_layout_has_is_not_valid() -> None:
    root = write_message(an_envelope(), Document(form=a_form()))
    etree.SubElement(root[-1][0], f"{{{E_FORM_D.namespace(2)}}}Colour").text = "red"
    with pytest.raises(SchemaViolated, match=r"EFormD\.Colour \(not expected\)"):
        must_be_valid(root, Kind.DOCUMENT, 2)


def test_a_replacement_names_one_certificate_only() -> None:
    with pytest.raises(ValueError, match="the certificate that it replaces"):
        Replacement(replaces="D2026-PNH-000001", form=a_form(replaces="D2026-PNH-000002"))


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "DEN"},
        {"code": "UTP"},
        {"code": "UTL", "items": (ItemDecision(item=1, code="DEN", reasons=(Reason(code="a", detail="b"),)),)},
        {"code": "UTP", "items": (ItemDecision(item=1, code="UTL"), ItemDecision(item=2, code="DEN"))},
    ],
)
def test_a_response_without_its_reasons_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"needs|differ"):
        CustomsResponse(decided_at=an_envelope().sent_at, **fields)


def _fields(layout: Layout) -> set[str]:
    return set(layout)


def test_every_field_of_every_model_has_a_place() -> None:
    def check(model: Any, layout: Layout) -> None:
        assert _fields(layout) == set(model.model_fields) - {"form"}, model
        for name, place in layout.items():
            if isinstance(place, Part):
                inner = model.model_fields[name].annotation
                found = next(each for each in _models_in(inner))
                check(found, place.layout)

    for content in profile.CONTENTS.values():
        check(content.model, content.layout)
    check(Envelope, profile.ENVELOPE)
    check(FormD, FORM_D)
    check(ExportDeclaration, EXPORT_DECLARATION)


def _models_in(annotation: Any) -> list[Any]:
    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [each for argument in getattr(annotation, "__args__", ()) for each in _models_in(argument)]


def test_the_schemas_in_the_repository_are_those_of_the_layouts() -> None:
    written = {file: file.read_text() for file in schemas.FOLDER.rglob("*.xsd")}
    assert written == dict(all_schemas()), "run `make generate`"


def test_the_page_of_messages_is_that_of_the_layouts() -> None:
    assert messages_page.FILE.read_text() == messages_page.as_text(), "run `make generate`"


def test_the_kinds_of_documents_are_e_form_d_and_acdd() -> None:
    assert [each.code for each in DOCUMENT_TYPES.values()] == ["e_form_d", "acdd"]
    assert ACDD.namespace(2) == "urn:co-automation:asw:acdd:2"


@pytest.fixture
def signed(tmp_path: Path, signers: dict[str, Signer]) -> Path:
    file = tmp_path / "message.xml"
    file.write_bytes(a_signed_document(signers["KH"]))
    return file


def test_xmllint_accepts_our_messages(signed: Path) -> None:
    schema = schemas.FOLDER / "v2" / "document.xsd"
    subprocess.run([program("xmllint"), "--noout", "--schema", schema, signed], check=True, capture_output=True)


def test_xmlsec1_verifies_our_messages_and_refuses_each_changed_byte(
    signed: Path, tmp_path: Path, signers: dict[str, Signer]
) -> None:
    pinned = tmp_path / "kh.pem"
    pinned.write_bytes(signers["KH"].certificate.public_bytes(Encoding.PEM))
    command = [program("xmlsec1"), "--verify", "--enabled-key-data", "x509", "--trusted-pem", pinned, signed]

    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    signed.write_bytes(signed.read_bytes().replace(b"Cat Lai", b"Cat Lay"))
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
