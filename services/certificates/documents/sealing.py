"""Seals a page with the key of its office (PAdES, ETSI EN 319 142). Only the process pool imports this module."""

import hashlib
import io
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import segno
from joserfc.jwk import ECKey
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import HTTPTimeStamper, TimestampRequestError

from services.certificates.documents.credentials import claims_of, key_in, secured
from services.certificates.documents.data_integrity import method_of, proof_of
from services.certificates.documents.orders import PageOrder, SealedPage, SealOrder
from services.certificates.documents.printing import printed
from services.certificates.documents.summaries import locked, signed, summary_of
from shared.contracts.certificates.documents import FormD
from shared.refusals import Unavailable

FIELD = "OfficeSeal"
RESERVED = 8192
"""Bytes for the signature, as hexadecimal digits. The library would sign twice to find the size."""
RESERVED_WITH_TIME_STAMP = 32_768
MASK = 3
"""The mask of every QR code. The text is random enough for any of them, and to compare all takes 40 ms."""
TIME_STAMP_WITHIN = 10
"""Seconds that the server for time stamps may take."""


@dataclass(frozen=True)
class Office:
    """The key of an office, as a signer of PDF and as a JWK."""

    signer: signers.SimpleSigner
    key: ECKey


@lru_cache(maxsize=64)
def _office(keystore: Path, password_file: Path, changed: float) -> Office:
    password, content = password_file.read_bytes().strip(), keystore.read_bytes()
    signer = signers.SimpleSigner.load_pkcs12_data(content, other_certs=[], passphrase=password)
    if signer is None:
        raise ValueError(f"{keystore.name} holds no key")
    return Office(signer, key_in(content, password))


def sealed_page(page: PageOrder, order: SealOrder) -> SealedPage:
    """Prints, signs and seals a certificate. Raises Unavailable if the server for time stamps does not answer."""
    office = _office(order.keystore, order.password_file, order.keystore.stat().st_mtime)
    form = FormD.model_validate_json(page.document)
    summary = signed(summary_of(page.document), office.key, order.key_id)
    pdf = printed(page, code=order.code, qr=qr_of(f"{page.check_at}?q={summary}"))
    stamper = HTTPTimeStamper(order.time_stamp_url, timeout=TIME_STAMP_WITHIN) if order.time_stamp_url else None
    about = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        name=page.office_name,
        location=page.office_name,
        reason=f"Certificate of origin {form.reference}",
    )
    try:
        made = signers.sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf)),
            about,
            signer=office.signer,
            timestamper=stamper,
            bytes_reserved=RESERVED_WITH_TIME_STAMP if stamper else RESERVED,
        )
    except (TimestampRequestError, OSError) as error:
        raise Unavailable(f"the server for time stamps does not answer ({type(error).__name__})") from error
    content, claims = made.getvalue(), claims_of(form, order)
    assert office.key.private_key  # `key_in` has read it
    return SealedPage(
        pdf=content,
        sha256=hashlib.sha256(content).hexdigest(),
        summary=summary,
        locked_summary=locked(summary, order.code, form.reference),
        credential=secured(claims, office.key, f"{order.issuer}#{order.key_id}"),
        proof=json.dumps(proof_of(claims, office.key.private_key, method_of(order.issuer, order.key_id), order.sealed_at)),
    )


def qr_of(text: str) -> str:
    """A QR code as SVG, with error correction of level M (15 %)."""
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False, mask=MASK).save(drawn, kind="svg", xmldecl=False, border=2)
    return drawn.getvalue().decode()
