"""The queue: the certificates of an office that wait, the longest waiting first; and the approval of many at once."""

import asyncio
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from services.portal.deciding_panel import about, about_content, address_of
from services.portal.navigation import DECIDING
from services.portal.page import page
from services.portal.pages.confirming import confirm_first
from services.portal.reference_data import OFFICES, is_headquarters, is_late
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.certificates.content import CertificateContent, GetCertificateContent
from shared.contracts.certificates.issuing import ApproveCertificate, CertificateStatus
from shared.contracts.certificates.lists import (
    CertificateCounts,
    CertificateOrder,
    Certificates,
    CountCertificates,
    ListCertificates,
    ListedCertificate,
)
from shared.contracts.messages import Command
from shared.contracts.registry.profiles import NameUsers
from shared.contracts.roles import Role
from shared.security.step_up import MAX_DECISIONS

QUEUE = f"{PREFIX}/queue"
ALL_OFFICES = "ALL"
TABS: dict[str, tuple[CertificateStatus, ...]] = {
    "review": (CertificateStatus.SUBMITTED,),
    "approve": (CertificateStatus.REVIEWED,),
    "mine": (CertificateStatus.SUBMITTED, CertificateStatus.REVIEWED, CertificateStatus.APPROVED),
    "returned": (CertificateStatus.RETURNED,),
    "held": (CertificateStatus.APPROVED,),
}


def tab_of(visit: Visit) -> str:
    """The chosen tab; otherwise what this person decides."""
    chosen = visit.query("tab")
    if chosen in TABS:
        return chosen
    return "review" if visit.someone.has(Role.REVIEWER) else "approve"


def office_of(visit: Visit) -> str | None:
    """The chosen office, or None for all. Only the headquarters choose."""
    own = visit.someone.organisation
    if not is_headquarters(own):
        return own
    chosen = visit.query("office", own)
    return None if chosen == ALL_OFFICES else next((office.code for office in OFFICES if office.code == chosen), own)


def _question(visit: Visit, tab: str, **more: Any) -> ListCertificates:
    values = {
        "office": office_of(visit),
        "statuses": TABS[tab],
        "mine": tab == "mine",
        "unpaid": visit.query("unpaid") == "yes",
        "search": visit.query("search") or None,
        "order": CertificateOrder.LONGEST_WAITING,
    }
    return visit.form.build(ListCertificates, [], **(values | more))


async def show_queue(visit: Visit) -> Response:
    """The certificates of one tab."""
    tab, office = tab_of(visit), office_of(visit)
    after = visit.query("after") or None
    listed: Certificates
    counts: CertificateCounts
    listed, counts = await asyncio.gather(
        visit.ask(_question(visit, tab, after=after, limit=MAX_DECISIONS)), visit.ask(CountCertificates(office=office))
    )
    officers = {
        row.assigned_to for row in listed.certificates if row.assigned_to and (row.assigned_until or visit.now) > visit.now
    }
    names = (await visit.ask(NameUsers(user_ids=tuple(officers)))).names if officers else {}
    kept = {name: visit.query(name) for name in ("office", "search", "unpaid")}
    return visit.page(
        "queue.html",
        tab=tab,
        office=office,
        offices=OFFICES if is_headquarters(visit.someone.organisation) else (),
        rows=[(row, _late(row, visit)) for row in listed.certificates],
        tabs=_tabs(visit, counts, kept),
        here=_address(kept, tab),
        opened=urlencode({"tab": tab, **{name: kept[name] for name in ("office", "search") if kept[name]}}),
        next=visit.here(after=listed.next) if listed.next else None,
        first=visit.here(after=None) if after else None,
        approve_address=visit.here(done=None).replace("/queue/approve", "/queue").replace("/queue", "/queue/approve"),
        names=names,
        words=Wording(visit.language),
        may_approve=tab == "approve" and visit.someone.has(Role.APPROVER),
        most=MAX_DECISIONS,
    )


def _late(row: ListedCertificate, visit: Visit) -> bool:
    return is_late(row.status.value, row.since, visit.now)


def _address(kept: dict[str, str], tab: str) -> str:
    return f"{QUEUE}?{urlencode({'tab': tab, **{name: value for name, value in kept.items() if value}})}"


def _tabs(visit: Visit, counts: CertificateCounts, kept: dict[str, str]) -> list[tuple[str, str, int | None]]:
    _, by_status = visit.language.gettext, counts.by_status
    return [
        (_("To review"), _address(kept, "review"), by_status.get(CertificateStatus.SUBMITTED, 0)),
        (_("To approve"), _address(kept, "approve"), by_status.get(CertificateStatus.REVIEWED, 0)),
        (_("Mine"), _address(kept, "mine"), counts.mine),
        (_("Returned"), _address(kept, "returned"), by_status.get(CertificateStatus.RETURNED, 0)),
        (_("Approved, not issued"), _address(kept, "held"), by_status.get(CertificateStatus.APPROVED, 0)),
    ]


async def approve_chosen(visit: Visit) -> Response:
    """Puts the approval of the chosen certificates before the officer, in the versions that the list has shown."""
    _, form, words = visit.language.gettext, visit.form, Wording(visit.language)
    chosen = list(dict.fromkeys(form.texts("chosen")))
    if not chosen:
        form.fail("", _("Choose at least one certificate."))
    if len(chosen) > MAX_DECISIONS:
        form.fail("", _("Choose at most %(most)s certificates.") % {"most": MAX_DECISIONS})
    form.must_be_valid()
    listed: Certificates = await visit.ask(
        _question(visit, tab_of(visit), after=visit.query("after") or None, limit=MAX_DECISIONS)
    )
    seen = {row.certificate_id: _in_words(row, words) for row in listed.certificates}
    commands: list[tuple[Command, str, str]] = []
    for each in chosen:
        certificate_id, _colon, version = each.partition(":")
        command = form.build(ApproveCertificate, [], certificate_id=certificate_id, version=version)
        this = command.certificate_id
        commands.append((command, seen.get(this) or await _about(this, visit, words), address_of(this)))
    return await confirm_first(
        visit, commands, visit.here(after=None, done=None).replace("/queue/approve", "/queue"), "approved"
    )


def _in_words(row: ListedCertificate, words: Wording) -> str:
    return about(row.form, row.exporter_name, row.consignee, row.destination, words)


async def _about(certificate_id: UUID, visit: Visit, words: Wording) -> str:
    """A certificate that has left the list since: it is named all the same."""
    content: CertificateContent = await visit.ask(GetCertificateContent(certificate_id=certificate_id))
    return about_content(content, words)


async def show_next(visit: Visit) -> Response:
    """Opens the certificate that has waited longest and that no other officer works on."""
    tab, now_open = tab_of(visit), visit.query("not")
    listed: Certificates = await visit.ask(_question(visit, tab, limit=MAX_DECISIONS))
    for row in listed.certificates:
        taken = row.assigned_to and row.assigned_to != visit.someone.user_id and (row.assigned_until or visit.now) > visit.now
        if str(row.certificate_id) != now_open and not taken:
            query = urlencode({"tab": tab, **{name: value for name in ("office", "search") if (value := visit.query(name))}})
            return visit.go(f"{address_of(row.certificate_id)}?{query}")
    return visit.go(visit.here(**{"not": None}).replace("/queue/next", "/queue"), done="queue-empty")


routes = [
    page("/queue", show_queue, roles=DECIDING),
    page("/queue/approve", show_queue, approve_chosen, roles=DECIDING),
    page("/queue/next", show_next, roles=DECIDING),
]
