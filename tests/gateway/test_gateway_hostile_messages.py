"""Forty hostile messages: each is refused with a code, and nothing of it is stored or believed."""

import base64
import hashlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner
from sqlalchemy import func, select

from services.gateway.store import inbound_documents
from services.gateway.wire.messages import (
    Acknowledgement,
    CustomsResponse,
    Document,
    Kind,
    Reason,
    Receipt,
    Rejection,
)
from services.gateway.wire.signature import Signer
from services.gateway.wire.xml import write_message
from shared.xml.documents import message_namespace
from tests.support.service_under_test import a_person

from .builders import (
    MAX_BYTES,
    TwoGateways,
    a_documented_certificate,
    a_form,
    a_signer,
    an_export_declaration,
    an_item,
    with_certificate,
)
from .test_gateway_receiving import XML, an_envelope
from .test_gateway_wire import BOMB

DS = "http://www.w3.org/2000/09/xmldsig#"
M = message_namespace(2)
OFFICER = a_person("reviewer")


@dataclass
class Attack:
    """A message, how it is sent, and the code of its refusal: of the HTTP answer, or of the receipt."""

    body: bytes
    code: str
    headers: dict[str, str] = field(default_factory=dict)
    client: Signer | None = None


@dataclass
class Sender:
    """The means of an attacker: the genuine signer of KH, and others."""

    kh: Signer
    vn: Signer

    def document(self, **changes: Any) -> Any:
        """A document without a signature."""
        return write_message(an_envelope(**changes), Document(form=a_form()))

    def signed(self, root: Any | None = None) -> bytes:
        """A genuine message."""
        return self.kh.sign(self.document() if root is None else root)

    def tree(self) -> Any:
        """A genuine message as a tree."""
        return etree.fromstring(self.signed())


def text_of(root: Any) -> bytes:
    return bytes(etree.tostring(root, encoding="UTF-8"))


def signed_with(sender: Sender, **options: Any) -> bytes:
    """A message whose signature has other algorithms or another form."""
    key = options.pop("key", sender.kh.key)
    defaults: dict[str, Any] = {
        "method": SignatureConstructionMethod.enveloped,
        "signature_algorithm": SignatureMethod.ECDSA_SHA256,
        "digest_algorithm": DigestAlgorithm.SHA256,
        "c14n_algorithm": CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    }
    reference_uri = options.pop("reference_uri", None)
    root = sender.document()
    if reference_uri:
        root.find(f"{{{M}}}Document").set("Id", "part")
    signer = XMLSigner(**defaults | options)
    return text_of(signer.sign(root, key=key, cert=[sender.kh.certificate], reference_uri=reference_uri))


def with_text(sender: Sender, path: str, text: str) -> bytes:
    root = sender.tree()
    root.find(path, {"m": M, "ds": DS}).text = text
    return text_of(root)


def wrapped_in_a_forged_envelope(sender: Sender) -> bytes:
    forged = sender.document(reference="D2026-PNH-999999")
    etree.SubElement(forged, f"{{{M}}}Extension").append(sender.tree())
    return text_of(forged)


def signature_moved_to_a_forged_message(sender: Sender) -> bytes:
    forged = sender.document(reference="D2026-PNH-999999")
    forged.append(sender.tree().find(f"{{{DS}}}Signature"))
    return text_of(forged)


def genuine_message_inside_the_signature(sender: Sender) -> bytes:
    forged, genuine = sender.document(reference="D2026-PNH-999999"), sender.tree()
    signature = deepcopy(genuine.find(f"{{{DS}}}Signature"))
    genuine.remove(genuine.find(f"{{{DS}}}Signature"))
    etree.SubElement(signature, f"{{{DS}}}Object").append(genuine)
    forged.append(signature)
    return text_of(forged)


def second_content_beside_the_signed_one(sender: Sender) -> bytes:
    root = sender.tree()
    root.insert(7, deepcopy(sender.document(reference="D2026-PNH-999999").find(f"{{{M}}}Document")))
    return text_of(root)


def two_signatures(sender: Sender) -> bytes:
    root = sender.tree()
    root.append(deepcopy(root.find(f"{{{DS}}}Signature")))
    return text_of(root)


def signature_first(sender: Sender) -> bytes:
    root = sender.tree()
    signature = root.find(f"{{{DS}}}Signature")
    forged = sender.document(reference="D2026-PNH-999999")
    holder = etree.Element(f"{{{M}}}Message", nsmap={None: M})
    holder.append(signature)
    holder.extend(list(forged))
    return text_of(holder)


def other_digest(sender: Sender) -> bytes:
    digest = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    return with_text(sender, ".//ds:DigestValue", digest)


def downgraded(algorithm: bytes) -> Callable[[Sender], bytes]:
    return lambda sender: sender.signed().replace(b"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", algorithm)


def declared(**changes: Any) -> Callable[[Sender], bytes]:
    """An export declaration under the reference XD2026-PNH-000123."""
    form = an_export_declaration(**changes)
    return lambda sender: sender.kh.sign(write_message(an_envelope(reference="XD2026-PNH-000123"), Document(form=form)))


def answer_of(kind: Kind, content: Any, **envelope: Any) -> Callable[[Sender], bytes]:
    return lambda sender: sender.kh.sign(write_message(an_envelope(kind=kind, **envelope), content))


AT = datetime.now(UTC)
NO = (Reason(code="other", detail="No."),)
OLD, FUTURE = timedelta(days=2), timedelta(hours=3)
SIGNATURE, READABLE, KNOWN = "signature_not_valid", "xml_not_readable", "client_certificate_unknown"
HOSTILE: dict[str, tuple[Callable[[Sender], bytes], str]] = {
    "external entity": (lambda s: b'<!DOCTYPE m [<!ENTITY f SYSTEM "file:///etc/passwd">]><m>&f;</m>' + s.signed(), READABLE),
    "external document type": (lambda s: b'<!DOCTYPE m SYSTEM "http://198.51.100.1/m.dtd">' + s.signed()[38:], READABLE),
    "billion laughs": (lambda s: BOMB, READABLE),
    "processing instruction": (lambda s: s.signed().replace(b"<Message", b"<?x y?><Message", 1), READABLE),
    "not XML": (lambda s: b"not xml", READABLE),
    "empty": (lambda s: b"", READABLE),
    "UTF-16": (lambda s: s.signed().decode().encode("utf-16"), READABLE),
    "null byte": (lambda s: s.signed().replace(b"Cat Lai", b"Cat\x00Lai"), READABLE),
    "truncated": (lambda s: s.signed()[:-200], READABLE),
    "deeply nested": (lambda s: b"<m>" * 300 + b"</m>" * 300, READABLE),
    "huge": (lambda s: s.signed() + b" " * MAX_BYTES, "message_too_long"),
    "unsigned": (lambda s: text_of(s.document()), SIGNATURE),
    "signed by a stranger": (lambda s: a_signer("KH").sign(s.document()), SIGNATURE),
    "signed by the receiver": (lambda s: s.vn.sign(s.document()), SIGNATURE),
    "changed after signing": (lambda s: s.signed().replace(b"Cat Lai", b"Hai Phong"), SIGNATURE),
    "another reference": (lambda s: with_text(s, "m:Reference", "D2026-PNH-999999"), SIGNATURE),
    "another digest": (other_digest, SIGNATURE),
    "wrapped in a forged message": (wrapped_in_a_forged_envelope, SIGNATURE),
    "signature moved to a forged message": (signature_moved_to_a_forged_message, SIGNATURE),
    "genuine message inside the signature": (genuine_message_inside_the_signature, SIGNATURE),
    "second content": (second_content_beside_the_signed_one, SIGNATURE),
    "signature before forged content": (signature_first, SIGNATURE),
    "two signatures": (two_signatures, SIGNATURE),
    "duplicate ids": (lambda s: signed_with(s, reference_uri="#part"), SIGNATURE),
    "SHA-1": (downgraded(b"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"), SIGNATURE),
    "HMAC with the public key": (downgraded(b"http://www.w3.org/2000/09/xmldsig#hmac-sha256"), SIGNATURE),
    "RSA": (
        lambda s: signed_with(s, key=rsa.generate_private_key(65537, 2048), signature_algorithm=SignatureMethod.RSA_SHA256),
        SIGNATURE,
    ),
    "SHA-512 digest": (lambda s: signed_with(s, digest_algorithm=DigestAlgorithm.SHA512), SIGNATURE),
    "inclusive canonical form": (
        lambda s: signed_with(s, c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1),
        SIGNATURE,
    ),
    "another namespace": (lambda s: s.signed().replace(b"asw:message:2", b"asw:message:9"), SIGNATURE),
    "no sender": (lambda s: s.kh.sign(_without_sender(s)), "sender_unknown"),
    "an unknown sender": (lambda s: s.kh.sign(s.document(sender="TH")), "sender_unknown"),
    "the receiver as sender": (lambda s: s.kh.sign(s.document(sender="VN")), "sender_unknown"),
    "for another receiver": (lambda s: s.kh.sign(s.document(receiver="TH")), "receiver_is_another"),
    "two days old": (lambda s: s.kh.sign(s.document(sent_at=datetime.now(UTC) - OLD)), "message_not_current"),
    "from the future": (lambda s: s.kh.sign(s.document(sent_at=datetime.now(UTC) + FUTURE)), "message_not_current"),
    "a kind of nobody": (lambda s: s.kh.sign(_with_kind(s, "Poem")), "envelope_not_readable"),
    "a receipt in place of a message": (
        answer_of(Kind.RECEIPT, Receipt(in_reply_to=uuid4(), received_at=AT)),
        "kind_not_expected",
    ),
    "a document that another country issued": (
        lambda s: s.kh.sign(write_message(an_envelope(), Document(form=a_form(issuing_country="TH")))),
        "sender_is_not_issuer",
    ),
    "a document for another country": (
        lambda s: s.kh.sign(write_message(an_envelope(), Document(form=a_form(destination="TH")))),
        "wrong_destination",
    ),
    "a document with another reference": (
        lambda s: s.kh.sign(write_message(an_envelope(), Document(form=a_form(reference="D2026-PNH-999999")))),
        "reference_mismatch",
    ),
    "a document without the form of the schema": (
        lambda s: s.kh.sign(write_message(an_envelope(), Document(form=a_form(items=(an_item(hs_code="61"),))))),
        "document_unreadable",
    ),
    "a content of another kind": (lambda s: s.kh.sign(_with_kind(s, "Rejection")), "document_unreadable"),
    "an answer about a document that was never sent": (
        answer_of(Kind.ACKNOWLEDGEMENT, Acknowledgement(received_at=AT, available_at=AT)),
        "transmission_not_found",
    ),
    "a rejection of a document that was never sent": (
        answer_of(Kind.REJECTION, Rejection(received_at=AT, rejected_at=AT, reasons=NO)),
        "transmission_not_found",
    ),
    "a decision about a document that was never sent": (
        answer_of(Kind.CUSTOMS_RESPONSE, CustomsResponse(code="DEN", decided_at=AT, reasons=NO)),
        "transmission_not_found",
    ),
    "a declaration of another country": (declared(issuing_country="TH"), "sender_is_not_issuer"),
    "a declaration for another country": (declared(destination="TH"), "wrong_destination"),
    "a declaration with the reference of another": (declared(reference="XD2026-PNH-000124"), "reference_mismatch"),
    "a declaration without items": (declared(items=()), "document_unreadable"),
}


def _without_sender(sender: Sender) -> Any:
    root = sender.document()
    root.remove(root.find(f"{{{M}}}Sender"))
    return root


def _with_kind(sender: Sender, kind: str) -> Any:
    root = sender.document()
    root.find(f"{{{M}}}Kind").text = kind
    return root


async def post(gateways: TwoGateways, attack: bytes, client: Signer, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(with_certificate(gateways.vn.app, client), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://vn.example") as http:
        return await http.post("/asw/messages", content=attack, headers=XML | headers)


async def code_of(gateways: TwoGateways, answer: httpx.Response) -> str:
    """The code of a refusal: of the HTTP answer, or of the signed receipt."""
    if answer.status_code != 200:
        return str(answer.json()["code"])
    receipt = (await gateways.kh.exchange.opened(answer.content)).content()
    assert isinstance(receipt, Receipt)
    return receipt.reasons[0].code


async def stored(gateways: TwoGateways) -> int:
    async with gateways.vn.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(inbound_documents)) or 0


def test_there_are_forty() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_message_is_refused_and_nothing_is_stored(
    gateways: TwoGateways, signers: dict[str, Signer], what: str
) -> None:
    make, code = HOSTILE[what]
    body = make(Sender(signers["KH"], signers["VN"]))

    answer = await post(gateways, body, signers["KH"])

    assert await code_of(gateways, answer) == code
    assert await stored(gateways) == 0
    assert await gateways.vn.tasks_left() == []


async def test_a_message_over_the_connection_of_a_stranger_is_refused_unread(
    gateways: TwoGateways, signers: dict[str, Signer]
) -> None:
    body = Sender(signers["KH"], signers["VN"]).signed()
    for client, code in ((None, "client_certificate_missing"), (a_signer("KH"), KNOWN)):
        answer = await post(gateways, body, client)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (403, code)


async def test_a_replayed_message_gets_the_first_receipt_and_counts_once(
    gateways: TwoGateways, signers: dict[str, Signer]
) -> None:
    body = Sender(signers["KH"], signers["VN"]).signed()
    answers = [await post(gateways, body, signers["KH"]) for _ in range(3)]
    receipts = [(await gateways.kh.exchange.opened(answer.content)).content() for answer in answers]
    assert receipts[0] == receipts[1] == receipts[2]
    assert await stored(gateways) == 1


async def test_an_answer_of_a_third_country_about_our_document_is_refused(gateways: TwoGateways) -> None:
    event = a_documented_certificate(a_form(destination="TH"))
    await gateways.kh.receive(event)
    exchange = gateways.vn.exchange
    envelope = exchange.envelope(uuid4(), Kind.ACKNOWLEDGEMENT, "KH", event.document.reference, 1, datetime.now(UTC))
    now = datetime.now(UTC)

    receipt = await exchange.send(envelope, Acknowledgement(received_at=now, available_at=now))

    assert [reason.code for reason in receipt.reasons] == ["not_the_destination"]
    assert await gateways.kh.codes() == ["AS1"]


async def test_a_long_list_of_malformed_fields_still_gets_a_receipt(gateways: TwoGateways, signers: dict[str, Signer]) -> None:
    items = tuple(an_item(number, hs_code="6", invoice_number="", marks="") for number in range(1, 40))
    body = signers["KH"].sign(write_message(an_envelope(), Document(form=a_form(items=items))))
    assert await code_of(gateways, await post(gateways, body, signers["KH"])) == "document_unreadable"
    assert 'co_messages_total{outcome="document_unreadable",sender="KH"}' in (await metrics_of(gateways))


async def metrics_of(gateways: TwoGateways) -> str:
    transport = httpx.ASGITransport(gateways.vn.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://vn.example") as http:
        return (await http.get("/metrics")).text
