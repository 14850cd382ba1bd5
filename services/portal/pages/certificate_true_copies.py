"""Certified true copies: the exporter asks for one on the page of the certificate, and an approver decides there."""

from uuid import UUID

from starlette.responses import Response

from services.portal.deciding_panel import about_content, address_of
from services.portal.pages.certificate import certificate_page, show_certificate
from services.portal.pages.confirming import confirm_first
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.certificates.content import CertificateContent, GetCertificateContent
from shared.contracts.certificates.true_copies import GrantTrueCopy, RefuseTrueCopy, RequestTrueCopy
from shared.contracts.roles import Role

SIGNING, APPROVING = frozenset({Role.SIGNATORY}), frozenset({Role.APPROVER})


async def request(visit: Visit) -> Response:
    """Asks for a certified true copy."""
    ids = {"certificate_id": visit.id("certificate_id"), "request_id": visit.form.command_id("true copy")}
    await visit.ask(visit.form.build(RequestTrueCopy, ["reason"], **ids))
    return _back(visit, "true-copy-requested")


async def grant(visit: Visit) -> Response:
    """The approver certifies the copy. It binds, so it is confirmed first."""
    certificate_id: UUID = visit.id("certificate_id")
    command = visit.form.build(GrantTrueCopy, ["request_id"], certificate_id=certificate_id)
    content: CertificateContent = await visit.ask(GetCertificateContent(certificate_id=certificate_id))
    about, address = about_content(content, Wording(visit.language)), address_of(certificate_id)
    return await confirm_first(visit, [(command, about, address)], address, "true-copy-granted")


async def refuse(visit: Visit) -> Response:
    """The approver refuses the copy."""
    names = ["request_id", "reason"]
    await visit.ask(visit.form.build(RefuseTrueCopy, names, certificate_id=visit.id("certificate_id")))
    return _back(visit, "true-copy-refused")


def _back(visit: Visit, done: str) -> Response:
    return visit.go(f"{PREFIX}/certificates/{visit.id('certificate_id')}", done=done)


routes = [
    certificate_page("/true-copy/request", show_certificate, request, roles=SIGNING),
    certificate_page("/true-copy/grant", show_certificate, grant, roles=APPROVING),
    certificate_page("/true-copy/refuse", show_certificate, refuse, roles=APPROVING),
]
