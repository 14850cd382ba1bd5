"""The certificates of a company, or for officers of all companies; and the forms that were not sent yet."""

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid4

from starlette.responses import Response

from services.portal.certificate_words import counted, status_of
from services.portal.drafts import copied, revised
from services.portal.filing_places import FORMS, address_of, step_of
from services.portal.names import Names
from services.portal.navigation import AUDITORS, COMPANY, DECIDING, FILING
from services.portal.page import page
from services.portal.pages.certificate import certificate_page, show_certificate
from services.portal.pages.filing import store
from services.portal.pages.former import has_former
from services.portal.visit import Visit
from shared.contracts.certificates.content import CertificateContent, CertificateCopy, CopyCertificate, GetCertificateContent
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.certificates.lists import CertificateCounts, Certificates, CountCertificates, ListCertificates

OFFICERS = DECIDING | AUDITORS
READERS = COMPANY | OFFICERS
TABS = {
    "": (),
    "drafts": (CertificateStatus.DRAFT,),
    "returned": (CertificateStatus.RETURNED,),
    "waiting": (CertificateStatus.SUBMITTED, CertificateStatus.REVIEWED),
    "approved": (CertificateStatus.APPROVED,),
    "unpaid": (),
    "issued": (CertificateStatus.ISSUED,),
    "rejected": (CertificateStatus.REJECTED,),
    "cancelled": (CertificateStatus.CANCELLED,),
    "ended": (CertificateStatus.WITHDRAWN, CertificateStatus.DISCARDED),
}
"""The statuses of each tab. The tab of the unpaid ones has its own filter."""


@dataclass(frozen=True)
class Unsent:
    """A form that was not sent yet, as the list shows it."""

    address: str
    consignee: str
    destination: str
    saved_at: object
    revises: bool


async def unsent_forms(visit: Visit) -> list[Unsent]:
    """The forms of this person for the company they act for, the last saved first."""
    found = []
    for saved in await visit.saved.below(visit.someone.user_id, FORMS):
        fields = {name: values[0] for name, values in saved.fields.items() if values}
        if saved.path.count("/") == FORMS.count("/") and fields.get("exporter", "") == visit.someone.organisation:
            destination, name = fields.get("consignment.destination", ""), fields.get("consignment.consignee.name", "")
            found.append(Unsent(saved.path, name, destination, saved.saved_at, "certificate" in fields))
    return found


async def show_certificates(visit: Visit) -> Response:
    """One page of certificates, with tabs by status."""
    of_company = visit.someone.has(*COMPANY)
    tab = visit.query("tab") if visit.query("tab") in TABS else ""
    names, _ = Names(visit.language), visit.language.gettext
    office = visit.query("office") if visit.query("office") in dict(names.offices()) else None
    destination = visit.query("destination") if visit.query("destination") in dict(names.countries(())) else None
    question = ListCertificates(
        statuses=TABS[tab],
        unpaid=tab == "unpaid",
        destination=destination,
        office=office,
        search=visit.query("search") or None,
        after=visit.query("after") or None,
    )
    counts: CertificateCounts
    found: Certificates
    former: bool
    counts, found, former = await asyncio.gather(
        visit.ask(CountCertificates(office=office)), visit.ask(question), has_former(visit)
    )
    return visit.page(
        "certificates.html",
        found=found.certificates,
        following=visit.here(after=found.next, done=None) if found.next else None,
        first=visit.here(after=None, done=None) if visit.query("after") else None,
        tabs_shown=_tabs(visit, counts),
        here=visit.here(tab=tab, search=None, destination=None, office=office, after=None, done=None),
        names=names,
        office=office,
        destination=destination,
        tab=tab,
        filtered=bool(question.search or destination),
        status_of=lambda each: status_of(each.status, each.waits_for, _),
        unsent=await unsent_forms(visit) if of_company else [],
        of_company=of_company,
        may_file=visit.someone.has(*FILING),
        former=former,
    )


def _tabs(visit: Visit, counts: CertificateCounts) -> list[tuple[str, str, str]]:
    _ = visit.language.gettext
    texts = {
        "": _("All"),
        "drafts": _("Drafts"),
        "returned": _("To correct"),
        "waiting": _("With the ministry"),
        "approved": _("Approved"),
        "unpaid": _("Not paid"),
        "issued": _("Issued"),
        "rejected": _("Rejected"),
        "cancelled": _("Cancelled"),
        "ended": _("Withdrawn or discarded"),
    }

    def number(tab: str) -> str:
        if tab == "unpaid":
            return visit.language.number(counts.unpaid)
        chosen = TABS[tab] or [status for status in CertificateStatus if status is not CertificateStatus.DISCARDED]
        return counted(counts, chosen, visit.language)

    def address(tab: str) -> str:
        return visit.here(tab=tab, search=None, destination=None, after=None, done=None)

    return [(text, address(tab), number(tab)) for tab, text in texts.items()]


async def begin(visit: Visit) -> Response:
    """An empty form for a new certificate. It is saved with its first step."""
    return visit.go(address_of(uuid4(), "consignee"))


async def copy(visit: Visit) -> Response:
    """A new form with what an earlier certificate has. Sent twice, it is one form."""
    return await _begun_with(visit, "copy")


async def replace(visit: Visit) -> Response:
    """A new form for the certificate that replaces an issued one. Sent twice, it is one form."""
    return await _begun_with(visit, "replace")


async def _begun_with(visit: Visit, how: str) -> Response:
    certificate_id = visit.id("certificate_id")
    answer: CertificateCopy
    content: CertificateContent
    answer, content = await asyncio.gather(
        visit.ask(CopyCertificate(certificate_id=certificate_id)),
        visit.ask(GetCertificateContent(certificate_id=certificate_id)),
    )
    form_id = visit.form.command_id(f"{how} {certificate_id}")
    if await visit.saved.find(visit.someone.user_id, address_of(form_id)) is None:
        form = copied(form_id, answer, [item.handicraft for item in content.items])
        if how == "replace":
            form = form.changed({"replaces": str(certificate_id), "replaces_reference": content.state.reference or ""})
        await store(visit, form)
    return visit.go(address_of(form_id, "complete"))


async def edit(visit: Visit) -> Response:
    """The form that changes a certificate. A form that was begun before goes on, unless it shall begin again."""
    certificate_id = visit.id("certificate_id")
    form_id, again = certificate_id, visit.form.text("again")
    if again or await visit.saved.find(visit.someone.user_id, address_of(form_id)) is None:
        content: CertificateContent = await visit.ask(GetCertificateContent(certificate_id=certificate_id))
        await store(visit, revised(form_id, content))
    return visit.go(_where_to_correct(form_id, visit.form.text("box"), visit.form.text("item")))


def _where_to_correct(form_id: UUID, box: str, item: str) -> str:
    """The step that has a box of Form D."""
    number = int(item) if item.isdigit() and len(item) < 5 else 1
    if box in ("2", "1"):
        return address_of(form_id, step_of("consignment.consignee.name"))
    if box == "3":
        return address_of(form_id, step_of("consignment.transport.vessel"))
    if box in ("5", "6", "7", "8", "9", "10"):
        return address_of(form_id, f"goods/{number}" if item else "goods")
    return address_of(form_id, "review" if box else "consignee")


routes = [
    page("/certificates", show_certificates, roles=READERS),
    page("/certificates/new", show_certificates, begin, roles=FILING),
    certificate_page("/copy", show_certificate, copy, roles=FILING),
    certificate_page("/replace", show_certificate, replace, roles=FILING),
    certificate_page("/edit", show_certificate, edit, roles=FILING),
]
