"""Deciding on one certificate: take it, release it, review, return, reject or approve it. All on the version that was seen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from services.portal.forms import FormInvalid
from services.portal.navigation import DECIDING
from services.portal.pages.confirming import confirm_first
from services.portal.reference_data import is_headquarters
from services.portal.settings import PREFIX
from services.portal.visit import Visit, page
from services.portal.words import Words
from shared.contracts.certificates.assigning import AssignCertificate, ReleaseCertificate
from shared.contracts.certificates.content import CertificateContent, GetCertificateContent
from shared.contracts.certificates.issuing import (
    ApproveCertificate,
    CertificateStatus,
    RejectCertificate,
    ReturnCertificate,
    ReviewCertificate,
)
from shared.contracts.certificates.withdrawing import ListRejectionReasons, RejectionReasons
from shared.contracts.registry.profiles import NameUsers
from shared.contracts.roles import Role

QUEUE_FIELDS = ("tab", "office", "search")
"""What a page keeps of the queue from which it was opened, so that the next certificate comes from the same one."""
BOXES_WITH_ITEMS = range(5, 11)


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """What the panel beside a certificate shows. `why_not`: why this person decides nothing here."""

    content: CertificateContent
    acts: frozenset[str]
    why_not: str
    mine: bool
    other: str
    until: datetime | None
    reasons: tuple[tuple[str, str], ...]
    checks: tuple[tuple[str, str], ...]
    boxes: dict[int, str]
    queue: dict[str, str]
    next_address: str

    @property
    def path(self) -> str:
        """The address of the certificate."""
        return address_of(self.content.state.certificate_id)


def address_of(certificate_id: UUID) -> str:
    """The address of a certificate."""
    return f"{PREFIX}/certificates/{certificate_id}"


def about(form: str, exporter: str, consignee: str, destination: str, words: Words) -> str:
    """A certificate in words, for the list of what is confirmed."""
    return f"{words.gettext('Form %s') % form} · {exporter} → {consignee}, {words.country(destination)}"


def about_content(content: CertificateContent, words: Words) -> str:
    """A certificate in words."""
    consignment = content.consignment
    return about(content.state.form, content.exporter_name, consignment.consignee.name, consignment.destination, words)


async def deciding(visit: Visit, content: CertificateContent) -> Deciding | None:
    """The values of `deciding_panel.html`; None for people who never decide on certificates."""
    person, state = visit.someone, content.state
    if not person.has(*DECIDING):
        return None
    assigned = content.assigned_to if content.assigned_until and content.assigned_until > visit.now else None
    other = ""
    if assigned and assigned != person.user_id:
        other = (await visit.ask(NameUsers(user_ids=(assigned,)))).names.get(assigned, "")
    acts = _acts(visit, content)
    reasons: tuple[tuple[str, str], ...] = ()
    if "reject" in acts:
        known: RejectionReasons = await visit.ask(ListRejectionReasons())
        reasons = tuple((each.code, each.text.get(visit.language.code, each.code)) for each in known.reasons)
    queue = queue_of(visit)
    return Deciding(
        content=content,
        acts=acts,
        why_not=_why_not(visit, content),
        mine=assigned == person.user_id,
        other=other or (str(assigned) if assigned and assigned != person.user_id else ""),
        until=content.assigned_until if assigned else None,
        reasons=reasons,
        checks=checks(visit),
        boxes=Words(visit.language).boxes,
        queue=queue,
        next_address=f"{PREFIX}/queue/next?{urlencode({**queue, 'not': str(state.certificate_id)})}",
    )


def queue_of(visit: Visit) -> dict[str, str]:
    """The queue from which the page was opened."""
    return {name: value for name in QUEUE_FIELDS if (value := visit.form.text(name)[:200] or visit.query(name))}


def checks(visit: Visit) -> tuple[tuple[str, str], ...]:
    """The checks before a certificate is issued (ATIGA Annex 8, Rule 6), as codes and sentences."""
    _ = visit.language.gettext
    return (
        ("complete", _("The application is complete and signed by an authorised signatory.")),
        ("origin", _("The goods originate in Cambodia under the criterion in box 8.")),
        ("documents", _("The data agree with the supporting documents.")),
        ("goods", _("Description, quantity, weight, marks and packages agree with the goods.")),
    )


def _acts(visit: Visit, content: CertificateContent) -> frozenset[str]:
    """The acts that the panel offers. The service decides whether it accepts them."""
    person, state = visit.someone, content.state
    if _why_not(visit, content):
        return frozenset()
    offered = {
        CertificateStatus.SUBMITTED: {"review", "return", "reject"},
        CertificateStatus.REVIEWED: {"approve", "return", "reject"},
        CertificateStatus.APPROVED: {"reject"},
    }.get(state.status, set())
    if not person.has(Role.REVIEWER):
        offered = offered - {"review"}
    if not person.has(Role.APPROVER) or content.reviewed_by == person.user_id:
        offered = offered - {"approve"}
    return frozenset(offered)


def _why_not(visit: Visit, content: CertificateContent) -> str:
    _, person, state = visit.language.gettext, visit.someone, content.state
    if person.organisation != state.office and not is_headquarters(person.organisation):
        return _("This certificate belongs to another office: %s.") % Words(visit.language).office(state.office)
    return ""


async def show_deciding(visit: Visit) -> Response:
    """The certificate in short, with the panel: the page after a refused decision, and without a page of the exporter."""
    content: CertificateContent = await visit.ask(GetCertificateContent(certificate_id=visit.id("certificate_id")))
    values: dict[str, Any] = {"content": content, "deciding": await deciding(visit, content), "words": Words(visit.language)}
    return visit.page("deciding.html", **values)


async def take(visit: Visit) -> Response:
    """The officer works on the certificate from now on."""
    take_over = visit.form.text("take_over") == "yes"
    await visit.ask(visit.form.build(AssignCertificate, [], **_this(visit), take_over=take_over))
    return _back(visit, "taken")


async def release(visit: Visit) -> Response:
    """The officer gives it up."""
    await visit.ask(visit.form.build(ReleaseCertificate, [], **_this(visit)))
    return _back(visit, "released")


async def review(visit: Visit) -> Response:
    """The officer finds the application in order. The checks and the reasons are the worksheet."""
    ticked = [sentence for code, sentence in checks(visit) if visit.form.is_chosen("checks", code)]
    worksheet = "\n".join([*(f"✓ {sentence}" for sentence in ticked), visit.form.text("worksheet")]).strip()
    await visit.ask(visit.form.build(ReviewCertificate, ["version"], **_this(visit), worksheet=worksheet))
    return _back(visit, "reviewed")


async def return_(visit: Visit) -> Response:
    """The officer returns the certificate, with remarks box by box. Without other words these are the remarks."""
    form, names = visit.form, Words(visit.language).boxes
    typed = [box for box in names if form.text(f"box.{box}.text")]
    boxes = [{"box": box, "text": form.text(f"box.{box}.text"), "item": form.text(f"box.{box}.item") or None} for box in typed]
    remarks = form.text("remarks") or "\n".join(f"{names[box]}: {form.text(f'box.{box}.text')}" for box in typed)[:2000]
    try:
        command = form.build(ReturnCertificate, ["version"], **_this(visit), remarks=remarks, boxes=boxes)
    except FormInvalid:
        for number, box in enumerate(typed):
            form.errors = [(name.replace(f"boxes.{number}.", f"box.{box}."), sentence) for name, sentence in form.errors]
        raise
    await visit.ask(command)
    return _back(visit, "returned")


async def reject(visit: Visit) -> Response:
    """The officer rejects the certificate. It binds, so it is confirmed first."""
    form = visit.form
    known: RejectionReasons = await visit.ask(ListRejectionReasons())
    texts = {each.code: each.text.get(visit.language.code, each.code) for each in known.reasons}
    codes = form.texts("codes")
    reason = form.text("reason") or "\n".join(texts[code] for code in codes if code in texts)
    command = form.build(RejectCertificate, ["version"], **_this(visit), reason=reason, codes=codes)
    return await _confirm(visit, command, "rejected")


async def approve(visit: Visit) -> Response:
    """The officer approves the certificate. It binds, so it is confirmed first."""
    return await _confirm(visit, visit.form.build(ApproveCertificate, ["version"], **_this(visit)), "approved")


async def _confirm(visit: Visit, command: Any, done: str) -> Response:
    content: CertificateContent = await visit.ask(GetCertificateContent(certificate_id=command.certificate_id))
    if command.version not in (None, content.state.version):
        visit.form.fail("", visit.language.refusal("certificate_changed", {}, "certificate_changed"))
        visit.form.must_be_valid()
    words, query = Words(visit.language), urlencode(queue_of(visit))
    back = address_of(command.certificate_id) + (f"?{query}" if query else "")
    return await confirm_first(
        visit, [(command, about_content(content, words), address_of(command.certificate_id))], back, done
    )


def _this(visit: Visit) -> dict[str, Any]:
    return {"certificate_id": visit.id("certificate_id")}


def _back(visit: Visit, done: str) -> Response:
    query = urlencode(queue_of(visit))
    return visit.go(address_of(visit.id("certificate_id")) + (f"?{query}" if query else ""), done=done)


CERTIFICATE = "/certificates/{certificate_id:uuid}"

routes = [
    page(f"{CERTIFICATE}/decide", show_deciding, roles=DECIDING),
    page(f"{CERTIFICATE}/take", show_deciding, take, roles=DECIDING),
    page(f"{CERTIFICATE}/release", show_deciding, release, roles=DECIDING),
    page(f"{CERTIFICATE}/review", show_deciding, review, roles=frozenset({Role.REVIEWER})),
    page(f"{CERTIFICATE}/return", show_deciding, return_, roles=DECIDING),
    page(f"{CERTIFICATE}/reject", show_deciding, reject, roles=DECIDING),
    page(f"{CERTIFICATE}/approve", show_deciding, approve, roles=frozenset({Role.APPROVER})),
]
