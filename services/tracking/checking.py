"""The check of a certificate: by its QR code, by reference and verification code, or by its PDF or XML."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from cryptography.exceptions import InvalidTag

from services.tracking.references import MAX_TYPED
from services.tracking.seals import MAX_SUMMARY, Summary, SummaryForged, key_id_of, opened, verified
from services.tracking.store import TrackedCertificate, certificates_by_references
from services.tracking.tracked_seals import (
    TrackedData,
    TrackedKey,
    TrackedSeal,
    find_data,
    find_key,
    find_seal,
    has_data,
    seals_of,
)
from shared.contracts.certificates.sealing import CODE_ALPHABET, CODE_LENGTH
from shared.handling.work import Work
from shared.xml.documents import NotXml, digest_of_element, document_in, reference_in

NAMED = re.compile(rb"Certificate of origin, Form [A-Z]{1,8}, ([A-Z0-9]{1,12}-[A-Z]{2,5}-[0-9]{6,9})")
"""The title of our PDF in its metadata, which is not compressed."""
ADDRESS = re.compile(r"[?&]q=([A-Za-z0-9._-]+)")
BLANK = b"\xef\xbb\xbf \t\r\n"
"""What may stand before the first element: the mark of UTF-8, and white space."""
SUMMARY = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class Check:
    """The outcome of a check. `verdict`: a key of `data/checks.json`. `summary`: only for who has the document."""

    verdict: str
    certificate: TrackedCertificate | None = None
    replaced_by: str | None = None
    seal: TrackedSeal | None = None
    summary: Summary | None = None
    reference: str = ""


def is_code(text: str) -> bool:
    """Whether a text looks like a verification code."""
    return len([char for char in text.upper() if char in CODE_ALPHABET]) == CODE_LENGTH and len(text) < 40


def summary_in(text: str) -> str | None:
    """The signed summary in what a reader of QR codes returns: the address, or the summary alone."""
    text = text.strip()[: MAX_SUMMARY + 300]
    found = ADDRESS.search(text)
    summary = found[1] if found else text
    return summary if SUMMARY.fullmatch(summary) and len(summary) <= MAX_SUMMARY else None


async def check_summary(summary: str, work: Work, today: date) -> Check:
    """Checks the content of a QR code."""
    try:
        key = await find_key(work, key_id_of(summary))
        if key is None:
            return Check(verdict="summary_forged")
        facts = verified(summary, key.certificate)
    except SummaryForged:
        return Check(verdict="summary_forged")
    seals = await seals_of(work, facts.reference)
    trusted = [seal for seal in seals if seal.key_id == key.key_id and not _stolen(key, seal.sealed_at)]
    if key.withdrawn_since and not trusted:
        return Check(verdict="key_withdrawn", reference=facts.reference)
    return await _of_certificate(facts.reference, work, today, summary=facts)


async def check_code(reference: str, code: str, work: Work, today: date) -> Check:
    """Checks a reference with its verification code. The code opens the summary, which nobody else can read."""
    if (await certificates_by_references(work, [reference])).get(reference) is None:
        return Check(verdict="unknown", reference=reference)
    seals = await seals_of(work, reference)
    if not seals:
        return Check(verdict="not_sealed_yet", reference=reference)
    for seal in seals:
        try:
            summary = opened(seal.summary, code, reference)
        except (InvalidTag, ValueError):
            continue
        return await check_summary(summary, work, today)
    return Check(verdict="code_wrong", reference=reference)


async def check_file(content: bytes, work: Work, today: date) -> Check:
    """Checks a PDF by its digest: the office has sealed exactly these bytes, or it has not."""
    seal = await find_seal(work, sha256(content).hexdigest())
    if seal is not None:
        return await _of_sealed(seal, work, today, seal=seal)
    if named := NAMED.search(content):
        reference = named[1].decode()
        if (await certificates_by_references(work, [reference])).get(reference):
            return Check(verdict="file_changed", reference=reference)
    return Check(verdict="file_unknown")


def is_xml(content: bytes) -> bool:
    """Whether a file looks like XML."""
    return content.lstrip(BLANK).startswith(b"<")


@dataclass(frozen=True)
class XmlDocument:
    """What is compared of a document in XML: the digest of its values, and its reference."""

    digest: str
    reference: str


def xml_document(content: bytes) -> XmlDocument | None:
    """The document in an XML text; None if it holds no document that we know. It is slow: run it in another process."""
    try:
        element = document_in(content)
    except NotXml:
        return None
    return XmlDocument(digest_of_element(element), reference_in(element)[:MAX_TYPED])


async def check_xml(document: XmlDocument | None, work: Work, today: date) -> Check:
    """Checks a document in XML by its values: the office has certified exactly these, or it has not."""
    if document is None:
        return Check(verdict="file_unknown")
    data = await find_data(work, document.digest)
    if data is not None:
        return await _of_sealed(data, work, today)
    reference = document.reference
    if not (await certificates_by_references(work, [reference])).get(reference):
        return Check(verdict="file_unknown")
    verdict = "file_changed" if await has_data(work, reference) else "not_sealed_yet"
    return Check(verdict=verdict, reference=reference)


async def _of_sealed(found: TrackedSeal | TrackedData, work: Work, today: date, *, seal: TrackedSeal | None = None) -> Check:
    key = await find_key(work, found.key_id)
    if key is not None and _stolen(key, found.sealed_at):
        return Check(verdict="key_withdrawn", reference=found.reference, seal=seal)
    return await _of_certificate(found.reference, work, today, seal=seal)


async def _of_certificate(
    reference: str, work: Work, today: date, *, seal: TrackedSeal | None = None, summary: Summary | None = None
) -> Check:
    tracked = (await certificates_by_references(work, [reference])).get(reference)
    if tracked is None:
        return Check(verdict="unknown", reference=reference)
    certificate, cancellation = tracked.certificate, tracked.cancellation
    replaced_by = cancellation.replaced_by if cancellation else None
    if cancellation:
        verdict = "replaced" if replaced_by else "cancelled"
    else:
        verdict = "expired" if today > certificate.valid_until else "valid"
    return Check(
        verdict=verdict, certificate=certificate, replaced_by=replaced_by, seal=seal, summary=summary, reference=reference
    )


def _stolen(key: TrackedKey, sealed_at: datetime) -> bool:
    return key.withdrawn_since is not None and sealed_at >= key.withdrawn_since
