"""The XML of messages loses no field, and only signed content is accepted."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from lxml import etree

from services.gateway.wire.messages import Document, Envelope, Kind
from services.gateway.wire.signature import NotGenuine, Signer, as_signed
from services.gateway.wire.xml import read_content, version_of, write_message
from shared.xml.document_types import E_FORM_D
from shared.xml.documents import NotXml, message_namespace, parse, write_document

from .builders import NOON, a_form, a_signer, an_item

NS = {"m": message_namespace(2), "f": E_FORM_D.namespace(2), "ds": "http://www.w3.org/2000/09/xmldsig#"}


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


def test_an_undisclosed_value_is_not_in_the_xml() -> None:
    form = a_form(items=(an_item(fob=None),))
    assert b"FreeOnBoardAmount" not in write_document(form)


def test_numbers_are_written_without_an_exponent() -> None:
    written = write_document(a_form(items=(an_item(quantity=Decimal("1E+3")),)))
    assert b'<TariffQuantity unitCode="PCS">1000</TariffQuantity>' in written


def test_the_namespace_of_a_message_has_its_version() -> None:
    assert [version_of(write_message(an_envelope(), Document(form=a_form()), version)) for version in (1, 2)] == [1, 2]


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
    etree.SubElement(forged, f"{{{message_namespace(2)}}}Extension").append(genuine)
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
