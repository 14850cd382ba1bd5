"""What an approver does with the transmission of an issued certificate, on its page: hold, resume, send again."""

from starlette.responses import Response

from services.portal.pages.certificate import SENDING, certificate_page, show_certificate
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from shared.contracts.gateway.transmissions import HoldTransmission, ResendTransmission, ResumeTransmission


async def hold(visit: Visit) -> Response:
    """The document is not sent until it is resumed."""
    await visit.ask(visit.form.build(HoldTransmission, ["reason"], certificate_id=visit.id("certificate_id")))
    return _back(visit, "held")


async def resume(visit: Visit) -> Response:
    """The document is sent."""
    await visit.ask(visit.form.build(ResumeTransmission, [], certificate_id=visit.id("certificate_id")))
    return _back(visit, "resumed")


async def resend(visit: Visit) -> Response:
    """A rejected document is sent again, with the next number."""
    await visit.ask(visit.form.build(ResendTransmission, [], certificate_id=visit.id("certificate_id")))
    return _back(visit, "resent")


def _back(visit: Visit, done: str) -> Response:
    return visit.go(f"{PREFIX}/certificates/{visit.id('certificate_id')}", done=done)


routes = [
    certificate_page("/hold", show_certificate, hold, roles=SENDING),
    certificate_page("/resume", show_certificate, resume, roles=SENDING),
    certificate_page("/resend", show_certificate, resend, roles=SENDING),
]
