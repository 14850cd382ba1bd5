"""The XML of messages loses no field, and only signed content is accepted."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.gateway.wire import xml
from services.gateway.wire.messages import Document, Envelope, Kind, Reason, Receipt, Response
from services.gateway.wire.signature import NotGenuine, Signer, as_signed
from services.gateway.wire.xml import (
    MESSAGE_NS,
    NotXml,
    parse,
    read_content,
    read_envelope,
    read_form,
    write_form,
    write_message,
)
from shared.contracts.certificates.documents import DocumentItem, FormD, Money, Party

from .builders import NOON, a_form, a_signer, an_item

NS = {"m": MESSAGE_NS, "f": xml.FORM_NS, "ds": "http://www.w3.org/2000/09/xmldsig#"}


def an_envelope(kind: Kind = Kind.DOCUMENT, *, sender: str = "KH", receiver: str = "VN") -> Envelope:
    return Envelope(
        message_id=UUID("0b9b4e0e-2f5e-4b52-8f86-1c7c2a3e7d11"),
        kind=kind,
        sender=sender,
        receiver=receiver,
        sent_at=NOON,
        reference="D2026-PNH-000123",
        number=1,
    )


def a_signed_document(signer: Signer) -> bytes:
    return signer.sign(write_message(an_envelope(), Document(form=a_form())))


words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"), include_characters="\t\n"), max_size=40)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=0, max_value=10**12)
days = st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1))
parties = st.builds(Party, name=words, address=words, country=st.none() | st.just("KH"))
items = st.builds(
    DocumentItem,
    number=st.integers(1, 2000),
    marks=words,
    packages=st.integers(1, 10**7),
    package_kind=words,
    description=words,
    hs_code=words,
    criterion=words,
    quantity=decimals,
    unit=words,
    gross_weight_kg=decimals,
    fob=st.none() | st.builds(Money, amount=decimals, currency=st.just("USD")),
    invoice_number=words,
    invoice_date=days,
)
forms = st.builds(
    FormD,
    reference=st.from_regex(r"D[0-9]{4}-[A-Z]{2,5}-[0-9]{6}", fullmatch=True),
    issuing_country=st.just("KH"),
    office=words,
    issued_on=days,
    valid_until=days,
    exporter=parties,
    consignee=parties,
    destination=st.sampled_from(["VN", "TH"]),
    departure_date=days,
    vessel=words,
    port_of_discharge=words,
    issued_retroactively=st.booleans(),
    items=st.lists(items, min_size=1, max_size=3).map(tuple),
)


@settings(max_examples=60)
@given(forms)
def test_an_e_form_d_in_xml_loses_no_field(form: FormD) -> None:
    assert read_form(parse(write_form(form))) == form


@settings(max_examples=15)
@given(forms)
def test_a_verified_document_has_the_signed_content(form: FormD) -> None:
    signer = a_signer("KH")
    signed = as_signed(parse(signer.sign(write_message(an_envelope(), Document(form=form)))), signer.certificate)
    assert read_envelope(signed) == an_envelope()
    assert read_content(signed, Kind.DOCUMENT) == Document(form=form)


def test_receipts_and_responses_in_xml_lose_no_field() -> None:
    reasons = (Reason(code="restricted_goods", detail="Needs a licence."), Reason(code="other", detail="Also this."))
    for kind, content in (
        (Kind.RECEIPT, Receipt(in_reply_to=uuid4(), received_at=NOON)),
        (Kind.RECEIPT, Receipt(in_reply_to=uuid4(), received_at=NOON + timedelta(microseconds=1), reasons=reasons)),
        (Kind.RESPONSE, Response(code="REC", decided_at=NOON, received_at=NOON)),
        (Kind.RESPONSE, Response(code="NOT", decided_at=NOON, received_at=NOON, reasons=reasons)),
    ):
        root = parse(etree.tostring(write_message(an_envelope(kind), content)))
        assert read_envelope(root) == an_envelope(kind)
        assert read_content(root, kind) == content


def test_every_field_of_form_d_has_an_element_or_attribute() -> None:
    assert set(xml.FORM_D) == set(FormD.model_fields)
    assert set(xml.ITEM) == set(DocumentItem.model_fields)
    assert set(xml.PARTY) == set(Party.model_fields)


def test_an_undisclosed_value_is_not_in_the_xml() -> None:
    form = a_form(items=(an_item(fob=None),))
    assert b"FreeOnBoardAmount" not in write_form(form)


def test_numbers_are_written_without_an_exponent() -> None:
    written = write_form(a_form(items=(an_item(quantity=Decimal("1E+3")),)))
    assert b'<TariffQuantity unitCode="PCS">1000</TariffQuantity>' in written


def test_a_message_has_its_version() -> None:
    root = write_message(an_envelope(), Document(form=a_form()))
    assert root.get("version") == root.find(".//f:EFormD", NS).get("version") == "1.0"


@pytest.mark.parametrize(
    "place",
    ["m:Reference", "m:TransmissionNumber", ".//f:EFormD/f:ID", ".//f:Commodity/f:Description", ".//f:FreeOnBoardAmount"],
)
def test_a_message_that_was_changed_is_not_genuine(place: str, signers: dict[str, Signer]) -> None:
    root = parse(a_signed_document(signers["KH"]))
    root.find(place, NS).text += "1"
    with pytest.raises(NotGenuine):
        as_signed(root, signers["KH"].certificate)


def test_a_message_signed_with_another_key_is_not_genuine(signers: dict[str, Signer]) -> None:
    with pytest.raises(NotGenuine):
        as_signed(parse(a_signed_document(signers["VN"])), signers["KH"].certificate)


def test_a_certificate_inside_the_message_is_ignored(signers: dict[str, Signer]) -> None:
    root = parse(a_signed_document(a_signer("KH")))
    assert root.find(".//ds:X509Certificate", NS) is not None
    with pytest.raises(NotGenuine):
        as_signed(root, signers["KH"].certificate)


def test_a_message_without_a_signature_is_not_genuine(signers: dict[str, Signer]) -> None:
    with pytest.raises(NotGenuine):
        as_signed(write_message(an_envelope(), Document(form=a_form())), signers["KH"].certificate)


def test_a_signature_by_an_expired_certificate_is_not_genuine() -> None:
    expired = a_signer("KH", lasts=timedelta(days=10))
    with pytest.raises(NotGenuine):
        as_signed(parse(a_signed_document(expired)), expired.certificate)


@pytest.mark.parametrize("outer_holds_signature", [True, False])
def test_a_genuine_message_wrapped_in_a_forged_one_is_not_genuine(
    outer_holds_signature: bool, signers: dict[str, Signer]
) -> None:
    genuine = parse(a_signed_document(signers["KH"]))
    forged = write_message(an_envelope(), Document(form=a_form(reference="D2026-PNH-999999")))
    if outer_holds_signature:
        forged.append(genuine.find("ds:Signature", NS))
    etree.SubElement(forged, f"{{{MESSAGE_NS}}}Extension").append(genuine)
    with pytest.raises(NotGenuine):
        as_signed(forged, signers["KH"].certificate)


def test_a_signature_of_only_a_part_is_not_genuine(signers: dict[str, Signer]) -> None:
    root = write_message(an_envelope(), Document(form=a_form()))
    root.find("m:Document", NS).set("Id", "part")
    from signxml.signer import XMLSigner

    signer = XMLSigner(signature_algorithm="ecdsa-sha256", c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#")
    signed = signer.sign(root, key=signers["KH"].key, cert=[signers["KH"].certificate], reference_uri="#part")
    with pytest.raises(NotGenuine, match="whole"):
        as_signed(signed, signers["KH"].certificate)


def test_a_comment_does_not_change_the_content(signers: dict[str, Signer]) -> None:
    signed = a_signed_document(signers["KH"]).replace(b"Cat Lai", b"Cat<!-- hidden --> Lai")
    content = read_content(as_signed(parse(signed), signers["KH"].certificate), Kind.DOCUMENT)
    assert isinstance(content, Document)
    assert content.form.port_of_discharge == "Cat Lai"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><m>&c;</m>"""


@pytest.mark.parametrize(
    "hostile",
    [
        BOMB,
        b'<!DOCTYPE m SYSTEM "http://198.51.100.1/m.dtd"><m/>',
        b'<!DOCTYPE m [<!ENTITY f SYSTEM "file:///etc/passwd">]><m>&f;</m>',
        b"<m>" * 300 + b"</m>" * 300,
        b"<m>&undeclared;</m>",
        b"<m>",
        b"not xml",
        b"\xff\xfe\x00",
        b"",
    ],
)
def test_hostile_xml_is_refused(hostile: bytes) -> None:
    with pytest.raises(NotXml):
        parse(hostile)
