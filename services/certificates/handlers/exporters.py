"""What registry tells of exporters: certificates keeps it and decides alone who may submit, also while registry is away.

News may come in any order: the latest approval says name, address and year, the latest news of any kind how an exporter stands.
"""

from uuid import UUID

from services.certificates.domain.exporter import Exporter, Standing
from services.certificates.handlers.issuing import issue_when_settled
from services.certificates.store import approved_of, keep_exporter, keep_standing
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
async def know_exporter_on_registration_approved(event: RegistrationApproved, work: Work) -> None:
    """The exporter may ask for certificates; what was held for want of a registration is taken up again."""
    year = (event.valid_from, event.valid_until)
    await keep_exporter(work, Exporter(event.exporter_id, event.name, event.address, *year, event.version))
    await keep_standing(work, event.exporter_id, Standing.ACTIVE, event.version)
    await take_up_again(event.exporter_id, work)


@router.on(RegistrationSuspended)
async def stop_exporter_on_registration_suspended(event: RegistrationSuspended, work: Work) -> None:
    """The exporter may not submit, and nothing is issued to it, until it is reinstated."""
    await keep_standing(work, event.exporter_id, Standing.SUSPENDED, event.version)


@router.on(RegistrationReinstated)
async def admit_exporter_on_registration_reinstated(event: RegistrationReinstated, work: Work) -> None:
    """The exporter may submit again; what was held meanwhile is taken up again."""
    await keep_standing(work, event.exporter_id, Standing.ACTIVE, event.version)
    await take_up_again(event.exporter_id, work)


@router.on(RegistrationExpired)
async def stop_exporter_on_registration_expired(event: RegistrationExpired, work: Work) -> None:
    """The exporter may not submit, and nothing is issued to it, until it is registered for another year."""
    await keep_standing(work, event.exporter_id, Standing.EXPIRED, event.version)


async def take_up_again(exporter_id: UUID, work: Work) -> None:
    """Issues what is approved and settled."""
    for certificate in await approved_of(work, exporter_id):
        await issue_when_settled(certificate, work)
