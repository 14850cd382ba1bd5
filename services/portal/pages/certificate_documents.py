"""The documents of a certificate, from its page: the sealed PDF, its data, a preview, and contingency prints."""

import json
from collections.abc import AsyncIterator
from re import fullmatch
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from services.portal.navigation import DECIDING, FILING
from services.portal.pages.certificate import certificate_page, show_certificate
from services.portal.settings import PREFIX
from services.portal.visit import NotForYou, Visit
from shared.contracts.certificates.documents import FormD
from shared.contracts.certificates.issuing import GetCertificate
from shared.contracts.certificates.sealing import (
    CertificateCredential,
    CertificateDocument,
    GetCertificateCredential,
    GetCertificateDocument,
    PreviewCertificate,
    PrintContingencyCopy,
    PrintedDocument,
    credential_with_proof,
)
from shared.contracts.roles import Role
from shared.xml.documents import write_document

PRINTING = frozenset({Role.SIGNATORY, Role.APPROVER})


async def download(visit: Visit) -> Response:
    """The sealed PDF."""
    certificate_id = visit.id("certificate_id")
    return await stream_pdf(visit, GetCertificateDocument(certificate_id=certificate_id), await _name(visit))


async def download_copy(visit: Visit) -> Response:
    """The PDF of a contingency print."""
    sha256 = visit.path("sha256")
    if not fullmatch("[0-9a-f]{64}", sha256):
        raise NotForYou
    question = GetCertificateDocument(certificate_id=visit.id("certificate_id"), sha256=sha256)
    return await stream_pdf(visit, question, f"{await _name(visit)}-contingency")


async def download_data(visit: Visit) -> Response:
    """The data of the certificate as JSON: every box, the signed summary, the credential."""
    data = await _whole_data(visit)
    headers = _headers(f"{await _name(visit)}.json")
    return Response(data.model_dump_json(), media_type="application/json", headers=headers)


async def download_xml(visit: Visit) -> Response:
    """The document as XML, in the latest version of the messages."""
    question = GetCertificateCredential(certificate_id=visit.id("certificate_id"))
    data: CertificateCredential = await visit.ask(question)  # the first part has the whole document
    if data.channel is None:
        raise NotForYou
    content = write_document(FormD.model_validate_json(data.document))
    return Response(content, media_type="application/xml", headers=_headers(f"{await _name(visit)}.xml"))


async def download_credential(visit: Visit) -> Response:
    """The verifiable credential as JSON, with its proof embedded."""
    credential = credential_with_proof(await _whole_data(visit))
    if credential is None:
        raise NotForYou
    headers = _headers(f"{await _name(visit)}.credential.json")
    return Response(json.dumps(credential), media_type="application/vc", headers=headers)


async def preview(visit: Visit) -> Response:
    """The page of a certificate that is not issued."""
    certificate_id: UUID = visit.id("certificate_id")
    made: PrintedDocument = await visit.ask(PreviewCertificate(certificate_id=certificate_id))
    question = GetCertificateDocument(certificate_id=certificate_id, sha256=made.sha256)
    return await stream_pdf(visit, question, "draft")


async def print_copy(visit: Visit) -> Response:
    """A numbered contingency print."""
    await visit.ask(visit.form.build(PrintContingencyCopy, ["reason"], certificate_id=visit.id("certificate_id")))
    return visit.go(f"{PREFIX}/certificates/{visit.id('certificate_id')}", done="printed")


async def _whole_data(visit: Visit) -> CertificateCredential:
    """The data with the whole credential, of which each answer has a part."""
    question = GetCertificateCredential(certificate_id=visit.id("certificate_id"))
    data: CertificateCredential = await visit.ask(question)
    while data.next is not None:
        part: CertificateCredential = await visit.ask(question.model_copy(update={"offset": data.next}))
        data = data.model_copy(update={"credential": data.credential + part.credential, "next": part.next})
    return data


async def _name(visit: Visit) -> str:
    state = await visit.ask(GetCertificate(certificate_id=visit.id("certificate_id")))
    return state.reference or "certificate"


async def stream_pdf(visit: Visit, question: GetCertificateDocument, name: str) -> Response:
    """A PDF of a certificate, chunk by chunk."""
    first: CertificateDocument = await visit.ask(question)
    same = question.model_copy(update={"sha256": first.sha256})

    async def chunks() -> AsyncIterator[bytes]:
        sent, chunk = len(first.chunk), first
        yield chunk.chunk
        while sent < first.size:
            chunk = await visit.ask(same.model_copy(update={"offset": sent}))
            sent += len(chunk.chunk)
            yield chunk.chunk

    headers = _headers(f"{name}.pdf") | {"content-length": str(first.size)}
    return StreamingResponse(chunks(), media_type="application/pdf", headers=headers)


def _headers(name: str) -> dict[str, str]:
    return {
        "content-disposition": f'attachment; filename="{name}"',
        "content-security-policy": "sandbox",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }


routes = [
    certificate_page("/certificate.pdf", download),
    certificate_page("/certificate.json", download_data),
    certificate_page("/certificate.xml", download_xml),
    certificate_page("/credential.json", download_credential),
    certificate_page("/copies/{sha256}", download_copy),
    certificate_page("/preview", show_certificate, preview, roles=FILING | DECIDING),
    certificate_page("/contingency", show_certificate, print_copy, roles=PRINTING),
]
