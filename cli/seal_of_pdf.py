"""Checks the seal of a PDF offline: the signature, what it covers, and the authority of its certificate."""

import asyncio
import io
import logging
from dataclasses import dataclass

from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext


@dataclass(frozen=True)
class Seal:
    """The seal of a PDF. `why`: what is wrong with it; empty if nothing is."""

    why: str
    by: str = ""
    reason: str = ""
    time_stamped: bool = False


def seal_of(pdf: bytes, authority: bytes) -> Seal:
    """Checks the one seal of a PDF against the certificate of the authority (PEM)."""
    return asyncio.run(_seal_of(pdf, authority))


async def _seal_of(pdf: bytes, authority: bytes) -> Seal:
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # the outcome says it
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    try:
        reader = PdfFileReader(io.BytesIO(pdf))
        signatures = reader.embedded_signatures
        if len(signatures) != 1:
            return Seal(f"it has {len(signatures)} seals instead of one")
        (signature,) = signatures
        context = ValidationContext(trust_roots=list(load_certs_from_pemder_data(authority)), allow_fetching=False)
        status = await async_validate_pdf_signature(signature, signer_validation_context=context)
    except (PdfError, SignatureValidationError, ValueError, KeyError, TypeError) as error:
        return Seal(f"it cannot be read as a sealed PDF ({type(error).__name__})")
    by = status.signing_cert.subject.human_friendly
    reason = str(signature.sig_object.get("/Reason", ""))
    stamped = status.timestamp_validity is not None
    if not status.intact or not status.valid:
        return Seal("its content was changed after it was sealed", by, reason, stamped)
    if not status.trusted:
        return Seal("the authority did not certify this seal", by, reason, stamped)
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        return Seal("something was added after it was sealed", by, reason, stamped)
    return Seal("", by, reason, stamped)
