"""Issued certificates get a sealed document: every value can be read back, and one changed byte is noticed."""

import gzip
import json
import re
import subprocess
import sys
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey
from pypdf import PdfReader
from sqlalchemy import delete, update

from services.certificates.documents.credentials import status_claims
from services.certificates.documents.keys import OfficeKeys
from services.certificates.documents.orders import PageOrder
from services.certificates.documents.printing import printed
from services.certificates.documents.sealing import sealed_page
from services.certificates.documents.summaries import locked, new_code
from services.certificates.handlers.sealing import SealRemaining
from services.certificates.publishing import routes
from services.certificates.store.sealed import revoked
from services.certificates.store.tables import documents, sealed_documents
from services.tracking.seals import opened
from shared.contracts.certificates.cancelling import CancelCertificate
from shared.contracts.certificates.documents import Company, DocumentInvoice, Exhibition, FormD, Money, Original, Party
from shared.contracts.certificates.issuing import CertificateState
from shared.contracts.certificates.sealing import (
    CertificateDocument,
    CertificateSealed,
    ContingencyCopyPrinted,
    DocumentKeyPublished,
    GetCertificateCredential,
    GetCertificateDocument,
    ListContingencyCopies,
    PreviewCertificate,
    PrintContingencyCopy,
)
from shared.contracts.messages import Refusal
from shared.runtime.http_server import application
from shared.xml.documents import digest_of_element, parse, read_document, write_document
from tests.certificates.builders import page_texts
from tests.certificates.keys import a_sealing, new_keys, office_keys
from tests.certificates.test_handlers import APPROVER, Trader
from tests.gateway.builders import a_form, an_item
from tests.support.programs import program
from tests.support.service_under_test import ServiceUnderTest, a_health_check, a_person

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)


async def an_issued(trader: Trader, **changes: object) -> CertificateState:
    """A certificate with its sealed document."""
    state = await trader.submit(**changes)
    await trader.settle(state.certificate_id)
    await trader.approve(state.certificate_id)
    await trader.service.do_tasks()
    found: CertificateState = await trader.state(state.certificate_id)
    return found


async def pdf_of(trader: Trader, state: CertificateState, sha256: str | None = None) -> bytes:
    content, size = b"", 1
    while len(content) < size:
        question = GetCertificateDocument(certificate_id=state.certificate_id, sha256=sha256, offset=len(content))
        part: CertificateDocument = await trader.service.ask(question, trader.person)
        content, size = content + part.chunk, part.size
    return content


def text_of(pdf: bytes) -> str:
    """The text of a PDF in one line, without the places at which a long word may break."""
    text = " ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", text.replace("\u200b", ""))


def written(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def a_page(form: FormD, **changes: object) -> PageOrder:
    order = PageOrder(
        page=page_texts(),
        document=form.model_dump_json(),
        country_names={"KH": "Cambodia", "VN": "Viet Nam"},
        office_name="Ministry of Commerce, Phnom Penh",
        check_at="https://co.example/verify",
    )
    return replace(order, **changes)  # type: ignore[arg-type]


def a_full_form() -> FormD:
    items = tuple(
        an_item(
            number,
            marks=f"MARK/{number}",
            invoice_number=f"INV-{number}",
            quantity=Decimal(1000 + number),
            description=f"T-shirts {number}\nManufacturer: Mill {number}\nTrade mark: ANGKOR {number}",
            manufacturer=f"Mill {number}",
            trade_mark=f"ANGKOR {number}",
            more_invoices=(DocumentInvoice(number=f"MORE-{number}", date=date(2026, 2, number)),),
        )
        for number in (1, 2, 3)
    )
    return a_form(
        items=items,
        consignee=Party(name="Sài Gòn Trading JSC", address="5 Lê Lợi", country="VN"),
        originals=(Original(reference="VN-77", country="VN", issued_on=date(2026, 1, 5)),),
        third_country_invoice=Company(name="Broker Pte Ltd", country="SG"),
        exhibition=Exhibition(name="Food Expo", address="1 Expo Road, Hanoi"),
        accumulation=True,
        route="Phnom Penh to Cat Lai",
        declared_by="Sok Dara",
        declared_on=date(2026, 3, 1),
    )


def test_every_value_of_the_document_stands_on_the_page() -> None:
    form = a_full_form()
    text = text_of(printed(a_page(form), code="ABCD-EFGH-JKLM", qr=""))

    expected = [form.reference, form.exporter.name, "12 Street 271 Phnom Penh", form.consignee.name, form.consignee.address]
    expected += [form.vessel, form.port_of_discharge, "Phnom Penh to Cat Lai", "CAMBODIA", "VIET NAM", "ABCD-EFGH-JKLM"]
    expected += ["Sok Dara", "VN-77", "Broker Pte Ltd", "Food Expo", "1 Expo Road, Hanoi"]
    expected += [written(day) for day in (form.departure_date, form.issued_on, form.valid_until, date(2026, 1, 5))]
    for item in form.items:
        assert item.fob is not None
        expected += [
            item.marks,
            *item.description.split("\n"),
            f"HS {item.hs_code}",
            f"{item.quantity} {item.unit}",
            item.criterion,
        ]
        expected += [f"{item.packages} {item.package_kind}", f"{item.gross_weight_kg} KG", item.invoice_number]
        expected += [f"FOB {item.fob.amount} {item.fob.currency}", written(item.invoice_date)]
        expected += [text for each in item.more_invoices for text in (each.number, written(each.date))]
    assert [value for value in expected if value not in text] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"exporter": Party(name="ក្រុមហ៊ុន អង្គរ 😀 العربية", address="\n".join("abcdefg"), country="KH")},
        {"vessel": "W" * 200, "consignee": Party(name="N" * 200, address="x" * 2000)},
        {"items": (an_item(description="W" * 2000, marks="M" * 200, package_kind="K" * 200, invoice_number="I" * 200),)},
        {"items": (an_item(fob=Money(amount=Decimal("999999999999.999999"), currency="USD")),)},
        {"originals": tuple(Original(reference=f"R{n}", country="VN", issued_on=TODAY) for n in range(40))},
    ],
    ids=["other scripts", "long names", "a long item", "a large value", "many originals"],
)
def test_unusual_values_are_printed_too(changes: dict[str, object]) -> None:
    assert PdfReader(BytesIO(printed(a_page(a_form(**changes))))).pages


def test_many_items_continue_on_sheets_with_the_reference() -> None:
    reader = PdfReader(BytesIO(printed(a_page(a_form(items=tuple(an_item(number) for number in range(1, 61)))))))

    sheets = [page.extract_text() for page in reader.pages[1:]]
    assert len(sheets) > 2
    assert all("continuation sheet" in sheet and "D2026-PNH-000123" in sheet for sheet in sheets)
    assert f"Page {len(reader.pages)} of {len(reader.pages)}" in sheets[-1]


@pytest.mark.parametrize("address", ["5 Le Loi", "5 Le Loi, Viet Nam", "5 Le Loi\nVIET NAM."])
def test_the_country_of_the_consignee_is_printed_once(address: str) -> None:
    consignee = Party(name="Sai Gon Trading JSC", address=address, country="VN")
    text = text_of(printed(a_page(a_form(consignee=consignee))))

    assert text.split("3. Means of transport")[0].casefold().count("viet nam") == 1


def test_the_page_is_a_tagged_document_for_archives() -> None:
    pdf = printed(a_page(a_form()))
    metadata = PdfReader(BytesIO(pdf)).xmp_metadata

    assert b"pdfaid" in pdf
    assert metadata is not None
    assert PdfReader(BytesIO(pdf)).root_object["/MarkInfo"]["/Marked"]


async def test_an_issued_certificate_is_sealed_and_its_digest_announced(service: ServiceUnderTest, trader: Trader) -> None:
    await service.start()
    state = await an_issued(trader)
    (event,) = await service.announced(CertificateSealed)
    keys = {key.key_id: key for key in await service.announced(DocumentKeyPublished)}

    pdf = await pdf_of(trader, state)

    assert event.reference == state.reference
    assert keys[event.key_id].office == "PNH"
    assert "Angkor" not in event.model_dump_json()
    assert state.reference in text_of(pdf)


async def test_json_summary_and_credential_say_the_same_as_the_document(service: ServiceUnderTest, trader: Trader) -> None:
    await service.start()
    (item,) = trader.consignment()["items"]
    invoices = [{"number": "INV-2", "date": "2026-11-21"}]
    state = await an_issued(
        trader,
        items=[item | {"trade_mark": "ANGKOR", "more_invoices": invoices}],
        third_country_invoice={"name": "Broker Pte Ltd", "country": "HK"},
        exhibition={"name": "Food Expo", "address": "1 Expo Road, Hanoi"},
    )
    data = await service.ask(GetCertificateCredential(certificate_id=state.certificate_id), trader.person)
    certificate = next(k.certificate for k in await service.announced(DocumentKeyPublished) if k.key_id == data.key_id)
    key = ECKey.import_key(certificate)

    form = FormD.model_validate_json(data.document)
    credential = json.loads(jws.deserialize_compact(data.credential, key, algorithms=["ES256"]).payload)
    summary = json.loads(jws.deserialize_compact(data.summary, key, algorithms=["ES256"]).payload)
    (event,) = await service.announced(CertificateSealed)
    xml = parse(write_document(form))
    subject = {name: value for name, value in credential["credentialSubject"].items() if name != "type"}

    assert FormD.model_validate(subject) == form == read_document(xml)
    assert event.data_sha256 == (digest_of_element(xml),)
    assert credential["issuer"] == "did:web:co.example"
    assert (summary["r"], summary["x"], summary["n"]) == (form.reference, form.exporter.name, len(form.items))
    assert form.reference == state.reference
    assert form.third_country_invoice == Company(name="Broker Pte Ltd", country="HK")
    assert form.exhibition == Exhibition(name="Food Expo", address="1 Expo Road, Hanoi")
    assert form.items[0].more_invoices == (DocumentInvoice(number="INV-2", date=date(2026, 11, 21)),)


async def test_a_stranger_does_not_get_the_document(service: ServiceUnderTest, trader: Trader) -> None:
    state = await an_issued(trader)
    stranger = a_person("preparer", organisation=uuid4())

    for question in (GetCertificateDocument, GetCertificateCredential, ListContingencyCopies):
        refusal = await service.ask(question(certificate_id=state.certificate_id), stranger)
        assert (type(refusal), refusal.code) == (Refusal, "not_yours")


async def test_a_document_of_a_former_release_is_sealed_later(service: ServiceUnderTest, trader: Trader) -> None:
    state = await an_issued(trader)
    async with service.work() as work:
        await work.session.execute(delete(sealed_documents))
        await work.session.execute(update(documents).values(sealed=False))
        work.later(SealRemaining(), key="now")

    await service.do_tasks()

    assert await pdf_of(trader, state)


async def test_a_draft_has_a_preview_that_is_no_certificate(service: ServiceUnderTest, trader: Trader) -> None:
    state = await trader.draft()

    first = await service.ask(PreviewCertificate(certificate_id=state.certificate_id), trader.person)
    text = text_of(await pdf_of(trader, state, first.sha256))

    assert "DRAFT" in text
    assert "This page is not a certificate" in text
    assert "Verification code" not in text


async def test_an_issued_certificate_has_no_preview(service: ServiceUnderTest, trader: Trader) -> None:
    state = await an_issued(trader)
    refusal = await service.ask(PreviewCertificate(certificate_id=state.certificate_id), trader.person)
    assert refusal.code == "nothing_to_preview"


async def test_contingency_prints_have_numbers_without_a_gap(service: ServiceUnderTest, trader: Trader) -> None:
    state = await an_issued(trader)
    command = PrintContingencyCopy(certificate_id=state.certificate_id, reason="The gateway of Viet Nam is down.")
    first = await service.ask(command, trader.person)
    await service.ask(command, trader.person)  # the answer was lost
    second = await service.ask(command.model_copy(update={"command_id": uuid4()}), APPROVER)
    await service.do_tasks()

    listed = await service.ask(ListContingencyCopies(certificate_id=state.certificate_id), a_person("auditor"))
    pdf = await pdf_of(trader, state, listed.copies[0].sha256)

    assert (first.number, second.number) == ("PNH-2026-00001", "PNH-2026-00002")
    assert sorted(copy.number for copy in listed.copies) == ["PNH-2026-00001", "PNH-2026-00002"]
    assert f"CONTINGENCY PRINT No. {listed.copies[0].number}" in text_of(pdf)
    numbers = {event.contingency_number for event in await service.announced(CertificateSealed)}
    assert numbers == {None, "PNH-2026-00001", "PNH-2026-00002"}


async def test_the_number_of_a_print_that_a_backup_lacks_is_not_given_again(service: ServiceUnderTest, trader: Trader) -> None:
    state = await an_issued(trader)
    command = PrintContingencyCopy(certificate_id=state.certificate_id, reason="The gateway of Viet Nam is down.")
    await service.ask(command, trader.person)
    (printed,) = await service.announced(ContingencyCopyPrinted)
    async with service.work() as work:
        await service.router.replay[ContingencyCopyPrinted](printed.model_copy(update={"number": "PNH-2026-00007"}), work)

    following = await service.ask(command.model_copy(update={"command_id": uuid4()}), trader.person)

    assert (printed.number, following.number) == ("PNH-2026-00001", "PNH-2026-00008")


async def test_only_an_issued_certificate_has_a_contingency_print(service: ServiceUnderTest, trader: Trader) -> None:
    state = await trader.draft()
    command = PrintContingencyCopy(certificate_id=state.certificate_id, reason="down")
    assert (await service.ask(command, trader.person)).code == "certificate_not_issued"


async def test_a_stolen_key_seals_nothing_and_is_announced_as_withdrawn(service: ServiceUnderTest, trader: Trader) -> None:
    await service.start()
    sealing = a_sealing()
    key = sealing.keys.keys["PNH"]
    stolen = OfficeKeys(sealing.keys.keys, {key.key_id: datetime(2026, 11, 1, tzinfo=UTC)}, sealing.keys.password_file)
    service.context.add(replace(sealing, keys=stolen))

    await service.start()
    state = await an_issued(trader)

    withdrawn = [event for event in await service.announced(DocumentKeyPublished) if event.withdrawn_since]
    assert [(event.key_id, event.version) for event in withdrawn] == [(key.key_id, 2)]
    refusal = await service.ask(GetCertificateDocument(certificate_id=state.certificate_id), trader.person)
    assert refusal.code == "document_not_ready"


def _sealed(folder: Path) -> Path:
    sealing, form = a_sealing(), a_full_form()
    order = sealing.order(uuid4(), "PNH", "ABCD-EFGH-JKLM", TODAY, NOON)
    file = folder / "sealed.pdf"
    file.write_bytes(sealed_page(a_page(form), order).pdf)
    return file


def test_poppler_accepts_the_seal_and_refuses_it_after_one_changed_byte(tmp_path: Path) -> None:
    file = _sealed(tmp_path)

    def verdict() -> str:
        return subprocess.run([program("pdfsig"), file], capture_output=True, text=True, check=False).stdout

    assert "Signature is Valid" in verdict()
    assert "ETSI.CAdES.detached" in verdict()
    assert "Total document signed" in verdict()

    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)
    assert "Signature is Valid" not in verdict()


def test_zbar_reads_the_qr_code_and_it_verifies_offline(tmp_path: Path) -> None:
    file = _sealed(tmp_path)
    subprocess.run([program("pdftoppm"), "-r", "150", "-png", "-f", "1", "-l", "1", file, tmp_path / "page"], check=True)
    (picture,) = tmp_path.glob("page*.png")
    read = subprocess.run([program("zbarimg"), "-q", "--raw", picture], capture_output=True, text=True, check=True)
    address, _, summary = read.stdout.strip().partition("?q=")

    key = ECKey.import_key(office_keys().read().keys["PNH"].pem)
    facts = json.loads(jws.deserialize_compact(summary, key, algorithms=["ES256"]).payload)

    assert address == "https://co.example/verify"
    assert facts["r"] == "D2026-PNH-000123"


def test_the_summary_on_the_public_site_opens_only_with_its_code() -> None:
    code = new_code()
    stored = locked("signed", code, "D2026-PNH-000123")

    assert opened(stored, code.lower().replace("-", " "), "D2026-PNH-000123") == "signed"
    with pytest.raises(InvalidTag):
        opened(stored, new_code(), "D2026-PNH-000123")


def test_a_folder_with_a_wrong_password_is_refused_by_name() -> None:
    keys = new_keys()
    keys.password_file.write_text("another")
    with pytest.raises(ValueError, match=r"PNH\.p12"):
        keys.read()


async def test_everybody_reads_the_keys_and_a_credential_verifies_with_them(service: ServiceUnderTest, trader: Trader) -> None:
    await service.start()
    state = await an_issued(trader)
    data = await service.ask(GetCertificateCredential(certificate_id=state.certificate_id), trader.person)
    service.context.add(a_health_check())
    site = httpx.ASGITransport(application(service.context, routes))
    async with httpx.AsyncClient(transport=site, base_url="https://co.example") as public:
        did = (await public.get("/.well-known/did.json")).json()
        pem = (await public.get("/.well-known/co-document-keys.pem")).text

    header = json.loads(urlsafe_b64decode(data.credential.split(".")[0] + "=="))
    (method,) = [each for each in did["verificationMethod"] if each["id"] == header["kid"]]
    jws.deserialize_compact(data.credential, ECKey.import_key(method["publicKeyJwk"]), algorithms=["ES256"])
    assert header["kid"] in did["assertionMethod"]
    assert header["typ"] == "vc+jwt"
    assert pem.count("BEGIN CERTIFICATE") == 3
    forged = data.credential[:-8] + ("A" * 8)
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(forged, ECKey.import_key(method["publicKeyJwk"]), algorithms=["ES256"])


def test_a_service_imports_neither_typst_nor_pyhanko() -> None:
    modules = (
        "services.certificates.handlers, services.certificates.settings, services.certificates.publishing, shared.runtime.main"
    )
    script = f"import sys, {modules}; print([name for name in ('typst', 'pyhanko', 'aiohttp') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_certificate_of_a_thousand_items_is_printed_in_a_process_of_its_own() -> None:
    items = tuple(an_item(number) for number in range(1, 1001))
    pdf = printed(a_page(a_form(items=items)))
    assert "1000" in PdfReader(BytesIO(pdf)).pages[-1].extract_text()


async def test_the_status_of_a_credential_stands_in_a_signed_list(service: ServiceUnderTest, trader: Trader) -> None:
    await service.start()
    state = await an_issued(trader)
    data = await service.ask(GetCertificateCredential(certificate_id=state.certificate_id), trader.person)
    status = json.loads(urlsafe_b64decode(data.credential.split(".")[1] + "=="))["credentialStatus"]
    service.context.add(a_health_check())
    site = httpx.ASGITransport(application(service.context, routes))
    async with httpx.AsyncClient(transport=site, base_url="https://co.example") as public:
        answer = await public.get(status["statusListCredential"])
        unknown = [await public.get(f"/.well-known/status/{name}") for name in ("D1999-PNH", "X2026-PNH", "D2026-XXX", "x")]

    key = ECKey.import_key(office_keys().read().keys["PNH"].pem)
    claims = json.loads(jws.deserialize_compact(answer.text, key, algorithms=["ES256"]).payload)
    assert answer.headers["content-type"] == "application/vc+jwt"
    assert not bit_of(claims, int(status["statusListIndex"]))
    assert {each.status_code for each in unknown} == {404}


async def test_a_cancelled_certificate_is_revoked_in_its_list(service: ServiceUnderTest, trader: Trader) -> None:
    state = await an_issued(trader)
    cancel = CancelCertificate(certificate_id=state.certificate_id, reason="issued_in_error", remarks="Wrong consignee.")
    await service.ask(cancel, APPROVER)
    async with service.work() as work:
        assert await revoked(work, "D2026-PNH") == [1]
        assert await revoked(work, "D2026-SHV") == []

    copy = PrintContingencyCopy(certificate_id=state.certificate_id, reason="down")
    assert (await service.ask(copy, trader.person)).code == "certificate_not_issued"
    assert await pdf_of(trader, state)


def test_the_bits_of_a_status_list_are_those_of_the_revoked_serials() -> None:
    claims = status_claims("https://co.example/s", "did:web:co.example", [1, 8, 200_000], datetime(2026, 11, 23, tzinfo=UTC))
    assert [serial for serial in (0, 1, 2, 7, 8, 9, 199_999, 200_000) if bit_of(claims, serial)] == [1, 8, 200_000]


def bit_of(claims: dict[str, Any], index: int) -> bool:
    """Whether an entry is revoked (Bitstring Status List, 3.2)."""
    encoded = claims["credentialSubject"]["encodedList"]
    bits = gzip.decompress(urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4)))
    assert len(bits) * 8 >= 131_072
    return bool(bits[index // 8] & 0x80 >> index % 8)
