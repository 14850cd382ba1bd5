"""Exporters, as registry announces them. Certificates decides alone whether one may submit, also while registry is unavailable.

Events arrive in any order. The latest approval gives name, address and validity; the latest event of any kind gives the state.
"""

from uuid import UUID

from services.certificates.domain.exporter import Standing
from services.certificates.handlers.certified import follow_registration
from services.certificates.handlers.issuing import issue_when_settled
from services.certificates.mappers import exporter_of
from services.certificates.store.certificates import approved_of
from services.certificates.store.exporters import keep_exporter, keep_standing
from shared.contracts.registry.registrations import (
    RegistrationApproved,
    RegistrationExpired,
    RegistrationReinstated,
    RegistrationSuspended,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(RegistrationApproved)
async def record_exporter_on_registration_approved(event: RegistrationApproved, work: Work) -> None:
    """The exporter may ask for certificates. Certificates that were held without a registration are tried again."""
    await keep_exporter(work, exporter_of(event))
    await keep_standing(work, event.exporter_id, Standing.ACTIVE, event.version)
    await follow_registration(event.exporter_id, work)
    await retry_held_certificates(event.exporter_id, work)


@router.on(RegistrationSuspended)
async def record_suspension_on_registration_suspended(event: RegistrationSuspended, work: Work) -> None:
    """The exporter may not submit, and no certificate is issued to it, until it is reinstated."""
    await keep_standing(work, event.exporter_id, Standing.SUSPENDED, event.version)
    await follow_registration(event.exporter_id, work)


@router.on(RegistrationReinstated)
async def record_reinstatement_on_registration_reinstated(event: RegistrationReinstated, work: Work) -> None:
    """The exporter may submit again. Certificates that were held are tried again."""
    await keep_standing(work, event.exporter_id, Standing.ACTIVE, event.version)
    await follow_registration(event.exporter_id, work)
    await retry_held_certificates(event.exporter_id, work)


@router.on(RegistrationExpired)
async def record_expiry_on_registration_expired(event: RegistrationExpired, work: Work) -> None:
    """The exporter may not submit, and no certificate is issued to it, until it is registered for another year."""
    await keep_standing(work, event.exporter_id, Standing.EXPIRED, event.version)
    await follow_registration(event.exporter_id, work)


async def retry_held_certificates(exporter_id: UUID, work: Work) -> None:
    """Issues the exporter's certificates that are approved and settled."""
    for certificate in await approved_of(work, exporter_id):
        await issue_when_settled(certificate, work)
