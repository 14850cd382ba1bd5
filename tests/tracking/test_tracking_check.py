"""The public check: by QR code, by reference and verification code, and by the PDF or XML."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from lxml import etree

from services.certificates.documents.orders import PageOrder, SealedPage
from services.certificates.documents.sealing import sealed_page
from services.tracking.checking import is_code, summary_in
from shared.contracts.certificates.cancelling import CertificateCancelled
from shared.contracts.certificates.sealing import CertificateSealed, DocumentKeyPublished
from shared.xml.documents import digests_of, write_document
from tests.certificates.builders import page_texts
from tests.certificates.keys import a_sealing
from tests.gateway.builders import a_form
from tests.tracking.conftest import CERTIFICATE, NOON, REFERENCE, Tracking, an_issued_certificate

CODE = "ABCD-EFGH-JKLM"
SEALED_AT = datetime(2026, 3, 2, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def sealed() -> SealedPage:
    """A certificate that the office of Phnom Penh has sealed."""
    page = PageOrder(
        page=page_texts(),
        document=a_form().model_dump_json(),
        country_names={"KH": "Cambodia", "VN": "Viet Nam"},
        office_name="Ministry of Commerce, Phnom Penh",
        check_at="https://co.example/verify",
    )
    return sealed_page(page, a_sealing().order(CERTIFICATE, "PNH", CODE, date(2026, 3, 2), SEALED_AT))


def a_key(**changes: Any) -> DocumentKeyPublished:
    key = a_sealing().keys.keys["PNH"]
    values = {"key_id": key.key_id, "office": "PNH", "certificate": key.pem, "version": 1, "occurred_at": SEALED_AT}
    return DocumentKeyPublished(**values | changes)


def a_seal(sealed: SealedPage, **changes: Any) -> CertificateSealed:
    values = {
        "certificate_id": CERTIFICATE,
        "reference": REFERENCE,
        "sha256": sealed.sha256,
        "key_id": a_key().key_id,
        "summary": sealed.locked_summary,
        "data_sha256": digests_of(a_form()),
        "version": 7,
        "occurred_at": SEALED_AT,
    }
    return CertificateSealed(**values | changes)


def a_cancellation(replaced_by: str | None = None) -> CertificateCancelled:
    return CertificateCancelled(
        certificate_id=CERTIFICATE,
        reference=REFERENCE,
        destination="VN",
        reason="issued_in_error",
        detail="It was issued in error.",
        replaced_by_id=uuid4() if replaced_by else None,
        replaced_by=replaced_by,
        version=9,
        occurred_at=NOON,
    )


@pytest.fixture
async def site(tracking: Tracking, sealed: SealedPage) -> Tracking:
    """The public site, which knows the certificate, its seal and the key."""
    await tracking.receive(an_issued_certificate(), a_seal(sealed), a_key())
    return tracking


async def by_code(site: Tracking, code: str = CODE, reference: str = REFERENCE) -> Any:
    return await site.read(f"/verify?reference={reference}&code={code}")


async def by_qr(site: Tracking, summary: str) -> Any:
    return await site.read(f"/verify?q={summary}")


async def by_file(site: Tracking, content: bytes) -> Any:
    answer = await site.public.post(
        "/verify", files={"file": ("certificate.pdf", content, "application/pdf")}, headers={"accept": "application/json"}
    )
    return answer.json()


async def test_each_way_finds_a_valid_certificate(site: Tracking, sealed: SealedPage) -> None:
    code, qr, file = await by_code(site), await by_qr(site, sealed.summary), await by_file(site, sealed.pdf)

    assert {each["verdict"] for each in (code, qr, file)} == {"valid"}
    assert {each["reference"] for each in (code, qr, file)} == {REFERENCE}
    assert code["document"] == qr["document"]
    assert code["document"]["exporter"] == "Angkor Garment Co., Ltd."
    assert file["document"] is None


@pytest.mark.parametrize(("language", "word"), [("en", "Valid"), ("km", "មានសុពលភាព")])
async def test_the_page_says_it_in_the_language_of_the_visitor(site: Tracking, language: str, word: str) -> None:
    page = await site.see(f"/verify?reference={REFERENCE}&code={CODE}", language)
    assert word in page.text
    assert "Angkor Garment" in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_a_code_may_be_typed_in_lower_case_without_dashes(site: Tracking) -> None:
    assert (await by_code(site, "abcdefghjklm", "d2026 pnh 123"))["verdict"] == "valid"


async def test_a_wrong_code_opens_nothing(site: Tracking) -> None:
    answer = await by_code(site, "ABCD-EFGH-JKLN")
    assert (answer["verdict"], answer["reason"], answer["document"]) == ("unknown", "code_wrong", None)


async def test_an_unknown_reference_is_unknown(site: Tracking) -> None:
    assert (await by_code(site, CODE, "D2026-PNH-000999"))["verdict"] == "unknown"


async def test_before_the_seal_arrives_the_visitor_is_asked_to_wait(tracking: Tracking) -> None:
    await tracking.receive(an_issued_certificate())
    assert (await by_code(tracking))["verdict"] == "not_ready"


@pytest.mark.parametrize(("replaced_by", "verdict"), [(None, "cancelled"), ("D2026-PNH-000124", "replaced")])
async def test_a_certificate_that_is_no_longer_in_force_is_named_so(
    site: Tracking, sealed: SealedPage, replaced_by: str | None, verdict: str
) -> None:
    await site.receive(a_cancellation(replaced_by))
    found = [await by_code(site), await by_qr(site, sealed.summary), await by_file(site, sealed.pdf)]
    assert [(each["verdict"], each["replaced_by"]) for each in found] == [(verdict, replaced_by)] * 3


async def test_after_its_last_day_it_is_expired(site: Tracking) -> None:
    site.clock.instant = datetime(2027, 3, 2, 16, 59, tzinfo=UTC)
    assert (await by_code(site))["verdict"] == "valid"
    site.clock.instant += timedelta(minutes=1)
    assert (await by_code(site))["verdict"] == "expired"


async def test_one_changed_byte_is_altered(site: Tracking, sealed: SealedPage) -> None:
    changed = bytearray(sealed.pdf)
    changed[len(changed) // 3] ^= 1
    assert (await by_file(site, bytes(changed)))["reason"] == "file_changed"
    assert (await by_file(site, sealed.pdf + b"\n% more"))["reason"] == "file_changed"


@pytest.mark.parametrize("version", [1, 2])
async def test_the_xml_that_customs_received_is_valid(site: Tracking, version: int) -> None:
    written = write_document(a_form(), version)
    saved_again = etree.tostring(etree.fromstring(written), pretty_print=True)
    message = (
        b'\xef\xbb\xbf\n<Message xmlns="urn:co-automation:asw:message:2"><Document>' + saved_again + b"</Document></Message>"
    )

    for content in (written, saved_again, message):
        found = await by_file(site, content)
        assert (found["verdict"], found["reference"]) == ("valid", REFERENCE)


async def test_xml_with_another_value_is_altered(site: Tracking) -> None:
    assert (await by_file(site, write_document(a_form(vessel="MV OTHER"))))["reason"] == "file_changed"
    assert (await by_file(site, write_document(a_form(reference="D2026-PNH-000999"))))["reason"] == "file_unknown"
    assert (await by_file(site, b"<html></html>"))["reason"] == "file_unknown"


async def test_xml_before_its_digest_arrives_is_not_ready(tracking: Tracking, sealed: SealedPage) -> None:
    await tracking.receive(an_issued_certificate(), a_seal(sealed, data_sha256=()), a_key())
    assert (await by_file(tracking, write_document(a_form())))["verdict"] == "not_ready"


async def test_xml_of_a_cancelled_certificate_is_cancelled(site: Tracking) -> None:
    await site.receive(a_cancellation())
    assert (await by_file(site, write_document(a_form())))["verdict"] == "cancelled"


async def test_a_file_of_somebody_else_is_unknown(site: Tracking) -> None:
    assert (await by_file(site, b"%PDF-1.7 something"))["reason"] == "file_unknown"


async def test_every_changed_character_of_a_summary_is_noticed(site: Tracking, sealed: SealedPage) -> None:
    header, payload, signature = sealed.summary.split(".")
    other = "A" if payload[30] != "A" else "B"
    forged = [
        f"{header}.{payload[:30]}{other}{payload[31:]}.{signature}",
        f"{header}.{payload}.{'A' * len(signature)}",
        f"eyJhbGciOiJub25lIn0.{payload}.",
        "a.b.c",
        "x" * 5000,
    ]
    assert {(await by_qr(site, text))["verdict"] for text in forged} == {"altered"}


async def test_a_seal_after_the_theft_of_its_key_is_not_trusted(site: Tracking, sealed: SealedPage) -> None:
    await site.receive(a_key(withdrawn_since=SEALED_AT - timedelta(hours=1), version=2))
    ways = (by_code(site), by_qr(site, sealed.summary), by_file(site, sealed.pdf), by_file(site, write_document(a_form())))
    reasons = {(await each)["reason"] for each in ways}
    assert reasons == {"key_withdrawn"}


async def test_a_seal_before_the_theft_stays_valid(site: Tracking, sealed: SealedPage) -> None:
    await site.receive(a_key(withdrawn_since=SEALED_AT + timedelta(hours=1), version=2))
    verdicts = {(await each)["verdict"] for each in (by_code(site), by_qr(site, sealed.summary), by_file(site, sealed.pdf))}
    assert verdicts == {"valid"}


async def test_a_contingency_print_is_found_with_its_number(site: Tracking, sealed: SealedPage) -> None:
    await site.receive(a_seal(sealed, sha256="0" * 64, contingency_number="PNH-2026-00001"))
    await site.receive(a_seal(sealed, sha256="0" * 64, contingency_number="PNH-2026-00001"))
    assert (await by_code(site))["verdict"] == "valid"


async def test_a_form_without_content_or_with_too_much_is_refused(site: Tracking) -> None:
    headers = {"accept": "text/html"}
    empty = await site.public.post("/verify", files={"file": ("a.pdf", b"")}, headers=headers)
    large = await site.public.post("/verify", files={"file": ("a.pdf", b"x" * 7 * 1024 * 1024)}, headers=headers)
    plain = await site.public.post("/verify", content=b"%PDF", headers=headers)

    assert (empty.status_code, large.status_code, plain.status_code) == (400, 413, 413)
    assert "Choose a file." in empty.text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [("reference=hello&code=x", "not a reference"), ("reference=D2026-PNH-000123&code=AB", "twelve")],
)
async def test_a_mistake_is_said_at_its_field(site: Tracking, query: str, sentence: str) -> None:
    page: httpx.Response = await site.see(f"/verify?{query}")
    assert page.status_code == 400
    assert sentence in page.text


def test_a_pasted_address_and_a_bare_summary_are_both_read() -> None:
    assert summary_in(" https://co.example/verify?q=aa.bb.cc ") == "aa.bb.cc" == summary_in("aa.bb.cc")
    assert summary_in("https://co.example/verify") is None
    assert not is_code("ABCD")
