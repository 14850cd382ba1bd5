"""What a company does with a certificate on its page: submit, withdraw, discard, write a message."""

from starlette.responses import Response

from services.portal.filing_places import address_of
from services.portal.navigation import DECIDING, FILING
from services.portal.pages.certificate import certificate_page, show_certificate
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from shared.contracts.certificates.content import SendCertificateMessage
from shared.contracts.certificates.issuing import SubmitCertificate
from shared.contracts.certificates.withdrawing import DiscardCertificate, WithdrawCertificate
from shared.contracts.roles import Role

SIGNING = frozenset({Role.SIGNATORY})


def _back(visit: Visit, done: str) -> Response:
    return visit.go(f"{PREFIX}/certificates/{visit.id('certificate_id')}", done=done)


async def submit(visit: Visit) -> Response:
    """Submits the certificate as it is."""
    await visit.ask(visit.form.build(SubmitCertificate, [], certificate_id=visit.id("certificate_id")))
    return _back(visit, "submitted")


async def withdraw(visit: Visit) -> Response:
    """Withdraws a submitted certificate."""
    await visit.ask(visit.form.build(WithdrawCertificate, [], certificate_id=visit.id("certificate_id")))
    return _back(visit, "withdrawn")


async def discard(visit: Visit) -> Response:
    """Discards a draft, and its form if there is one."""
    await visit.ask(visit.form.build(DiscardCertificate, [], certificate_id=visit.id("certificate_id")))
    await visit.saved.forget(visit.someone.user_id, address_of(visit.id("certificate_id")))
    return _back(visit, "discarded")


async def write(visit: Visit) -> Response:
    """Sends a message to the other side."""
    sent = visit.form.build(
        SendCertificateMessage,
        ["text"],
        certificate_id=visit.id("certificate_id"),
        message_id=visit.form.command_id("message"),
    )
    await visit.ask(sent)
    return visit.go(f"{PREFIX}/certificates/{visit.id('certificate_id')}?done=written#messages")


routes = [
    certificate_page("/submit", show_certificate, submit, roles=SIGNING),
    certificate_page("/withdraw", show_certificate, withdraw, roles=SIGNING),
    certificate_page("/discard", show_certificate, discard, roles=FILING),
    certificate_page("/messages", show_certificate, write, roles=FILING | DECIDING),
]
