"""Certificates of the ministry's former system: a company finds its last ones and copies them."""

from uuid import UUID

from starlette.responses import Response

from services.portal.drafts import copied
from services.portal.filing_places import address_of
from services.portal.names import Names
from services.portal.navigation import FILING
from services.portal.page import page
from services.portal.pages.filing import store
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from shared.contracts.certificates.content import CertificateCopy, CopyCertificate
from shared.contracts.certificates.importing import FormerCertificates, ListFormerCertificates
from shared.contracts.fields import Cursor, Line

LIST = f"{PREFIX}/certificates/former"


async def has_former(visit: Visit) -> bool:
    """Whether the company has certificates of the former system."""
    if not visit.someone.has(*FILING):
        return False
    found: FormerCertificates = await visit.ask(ListFormerCertificates(exporter_id=visit.company, limit=1))
    return bool(found.certificates)


async def show_former(visit: Visit) -> Response:
    """One page of the certificates of the former system, the last issued first."""
    question = ListFormerCertificates(
        exporter_id=visit.company, search=visit.filter("search", Line), after=visit.filter("after", Cursor)
    )
    found: FormerCertificates = await visit.ask(question)
    return visit.page(
        "former_certificates.html",
        found=found.certificates,
        following=visit.here(after=found.next) if found.next else None,
        names=Names(visit.language),
    )


async def copy(visit: Visit) -> Response:
    """A new form with what a certificate of the former system has. Sent twice, it is one form."""
    certificate_id: UUID = visit.id("certificate_id")
    answer: CertificateCopy = await visit.ask(CopyCertificate(certificate_id=certificate_id))
    form_id = visit.form.command_id(f"copy {certificate_id}")
    if await visit.saved.find(visit.someone.user_id, address_of(form_id)) is None:
        await store(visit, copied(form_id, answer))
    return visit.go(address_of(form_id, "complete"))


routes = [
    page("/certificates/former", show_former, roles=FILING),
    page("/certificates/former/{certificate_id:uuid}/copy", show_former, copy, roles=FILING),
]
