"""The handlers of the portal: it records what has changed elsewhere, so that open pages show it, and forgets old rows."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from sqlalchemy import insert

from services.portal.tables import browsers, changes, forms
from shared.contracts.certificates.content import CertificateMessageSent
from shared.contracts.certificates.issuing import CertificateStatusChanged
from shared.contracts.fees import InvoiceChanged
from shared.contracts.gateway.declarations import DocumentAdvanced
from shared.contracts.gateway.transmissions import TransmissionAdvanced
from shared.contracts.registry.registrations import RegistrationStatusChanged
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work
from shared.operations.retention import delete_oldest

router = Router()

CHANGES_KEPT = timedelta(hours=1)
ENDED_KEPT = timedelta(days=7)
"""How long an ended session is kept, so that a form of that session can be saved for its person."""
FORMS_KEPT = timedelta(days=90)


@router.on(CertificateStatusChanged)
async def show_status_on_certificate_status_changed(event: CertificateStatusChanged, work: Work) -> None:
    """Open pages with this certificate, and the queue of its office, show the new status."""
    await record_change("certificate", event.certificate_id, work, event.office)


@router.on(CertificateMessageSent)
async def show_message_on_certificate_message_sent(event: CertificateMessageSent, work: Work) -> None:
    """Open pages with this certificate show the message."""
    await record_change("certificate", event.certificate_id, work, event.office)


@router.on(InvoiceChanged)
async def show_payment_on_invoice_changed(event: InvoiceChanged, work: Work) -> None:
    """Open pages with this certificate show whether it is paid."""
    await record_change("certificate", event.certificate_id, work)


@router.on(TransmissionAdvanced)
async def show_step_on_transmission_advanced(event: TransmissionAdvanced, work: Work) -> None:
    """Open pages with this certificate show its code."""
    await record_change("certificate", event.certificate_id, work)


@router.on(DocumentAdvanced)
async def show_step_on_document_advanced(event: DocumentAdvanced, work: Work) -> None:
    """Open pages with this certificate show the code of a document that was added to it."""
    await record_change("certificate", event.certificate_id, work)


@router.on(RegistrationStatusChanged)
async def show_status_on_registration_status_changed(event: RegistrationStatusChanged, work: Work) -> None:
    """Open pages with this registration show its status."""
    await record_change("registration", event.exporter_id, work)


async def record_change(noun: str, noun_id: UUID, work: Work, office: str | None = None) -> None:
    """Records that something has changed."""
    row = {"noun": noun, "noun_id": noun_id, "office": office, "at": work.now}
    await work.session.execute(insert(changes).values(row))


class ForgetExpired(Task):
    """Deletes expired rows of the portal, every hour."""

    kind: ClassVar[str] = "forget_expired"
    every: ClassVar[timedelta | None] = timedelta(hours=1)


@router.due(ForgetExpired)
async def forget_expired(task: ForgetExpired, work: Work) -> None:
    """Deletes changes after an hour, sessions a week after their end, and forms that nobody has touched for 90 days."""
    more = [
        await delete_oldest(work, changes, changes.c.at, work.now - CHANGES_KEPT),
        await delete_oldest(work, browsers, browsers.c.until, work.now - ENDED_KEPT),
        await delete_oldest(work, forms, forms.c.saved_at, work.now - FORMS_KEPT),
    ]
    if any(more):
        work.later(task, key=ForgetExpired.period_of(work.now).isoformat())
