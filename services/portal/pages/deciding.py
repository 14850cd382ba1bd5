"""Deciding on one certificate: take it, release it, review, return, reject or approve it. All on the version that was seen."""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from services.portal.deciding_panel import about_content, address_of, checks, queue_of
from services.portal.forms import FormInvalid
from services.portal.navigation import DECIDING
from services.portal.pages.certificate import certificate_page, show_certificate
from services.portal.pages.confirming import confirm_first
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.certificates.assigning import AssignCertificate, ReleaseCertificate
from shared.contracts.certificates.cancelling import CancelCertificate
from shared.contracts.certificates.content import CertificateContent, GetCertificateContent
from shared.contracts.certificates.issuing import (
    ApproveCertificate,
    RejectCertificate,
    ReturnCertificate,
    ReviewCertificate,
)
from shared.contracts.certificates.withdrawing import ListRejectionReasons, RejectionReasons
from shared.contracts.roles import Role


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
    form, names = visit.form, Wording(visit.language).boxes
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


async def cancel(visit: Visit) -> Response:
    """The officer cancels an issued certificate. It binds, so it is confirmed first."""
    command = visit.form.build(CancelCertificate, ["version", "reason", "remarks"], **_this(visit))
    return await _confirm(visit, command, "cancelled")


async def _confirm(visit: Visit, command: Any, done: str) -> Response:
    content: CertificateContent = await visit.ask(GetCertificateContent(certificate_id=command.certificate_id))
    if command.version not in (None, content.state.version):
        visit.form.fail("", visit.language.refusal("certificate_changed", {}, "certificate_changed"))
        visit.form.must_be_valid()
    words, query = Wording(visit.language), urlencode(queue_of(visit))
    back = address_of(command.certificate_id) + (f"?{query}" if query else "")
    return await confirm_first(
        visit, [(command, about_content(content, words), address_of(command.certificate_id))], back, done
    )


def _this(visit: Visit) -> dict[str, Any]:
    return {"certificate_id": visit.id("certificate_id")}


def _back(visit: Visit, done: str) -> Response:
    query = urlencode(queue_of(visit))
    return visit.go(address_of(visit.id("certificate_id")) + (f"?{query}" if query else ""), done=done)


routes = [
    certificate_page("/take", show_certificate, take, roles=DECIDING),
    certificate_page("/release", show_certificate, release, roles=DECIDING),
    certificate_page("/review", show_certificate, review, roles=frozenset({Role.REVIEWER})),
    certificate_page("/return", show_certificate, return_, roles=DECIDING),
    certificate_page("/reject", show_certificate, reject, roles=DECIDING),
    certificate_page("/cancel", show_certificate, cancel, roles=frozenset({Role.APPROVER})),
    certificate_page("/approve", show_certificate, approve, roles=frozenset({Role.APPROVER})),
]
