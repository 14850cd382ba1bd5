"""The export declaration (ACDD) of an issued certificate: its exporter sends it, and an approver holds or sends it again."""

from starlette.responses import Response

from services.portal.declaration_panel import ACDD
from services.portal.navigation import FILING
from services.portal.pages.certificate import SENDING, certificate_page, show_certificate
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from shared.contracts.gateway.declarations import SendDeclaration
from shared.contracts.gateway.transmissions import HoldTransmission, ResendTransmission, ResumeTransmission

TYPED = ["permit_number", "transport_mode", "exporter_number", "declaring_agent", "country_of_origin"]


async def send(visit: Visit) -> Response:
    """The declaration is sent to the customs of the destination."""
    await visit.ask(visit.form.build(SendDeclaration, TYPED, certificate_id=visit.id("certificate_id")))
    return _back(visit, "declared")


async def hold(visit: Visit) -> Response:
    """The declaration is not sent until it is resumed."""
    reason = visit.form.text("declaration_reason")
    if not reason:
        visit.form.fail("declaration_reason", visit.language.gettext("Fill in this field."))
        visit.form.must_be_valid()
    held = visit.form.build(HoldTransmission, [], certificate_id=visit.id("certificate_id"), kind=ACDD, reason=reason)
    await visit.ask(held)
    return _back(visit, "held")


async def resume(visit: Visit) -> Response:
    """The declaration is sent."""
    await visit.ask(visit.form.build(ResumeTransmission, [], certificate_id=visit.id("certificate_id"), kind=ACDD))
    return _back(visit, "resumed")


async def resend(visit: Visit) -> Response:
    """A rejected declaration is sent again as it is, with the next number."""
    await visit.ask(visit.form.build(ResendTransmission, [], certificate_id=visit.id("certificate_id"), kind=ACDD))
    return _back(visit, "resent")


def _back(visit: Visit, done: str) -> Response:
    return visit.go(f"{PREFIX}/certificates/{visit.id('certificate_id')}", done=done)


routes = [
    certificate_page("/declaration", show_certificate, send, roles=FILING),
    certificate_page("/declaration/hold", show_certificate, hold, roles=SENDING),
    certificate_page("/declaration/resume", show_certificate, resume, roles=SENDING),
    certificate_page("/declaration/resend", show_certificate, resend, roles=SENDING),
]
