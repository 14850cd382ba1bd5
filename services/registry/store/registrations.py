"""Registrations, as they are kept."""

from uuid import UUID

from sqlalchemy import select

from services.registry.domain.registration import Registration, RegistrationNotFound, Status, TaxNumberTaken
from services.registry.store.tables import registrations
from shared.work import Work

active_registrations = select(registrations.c.exporter_id).where(registrations.c.status == Status.ACTIVE)


async def registration_by_id(work: Work, exporter_id: UUID) -> Registration:
    """The registration of an exporter. Raises RegistrationNotFound."""
    found = await find_registration(work, exporter_id)
    if found is None:
        raise RegistrationNotFound(f"There is no registration {exporter_id}.", "exporter_id")
    return found


async def find_registration(work: Work, exporter_id: UUID) -> Registration | None:
    """The registration of an exporter, or None."""
    return await work.session.get(Registration, exporter_id, with_for_update=work.may_write)


async def tax_number_must_be_free(work: Work, tax_number: str) -> None:
    """Raises TaxNumberTaken."""
    if await work.session.scalar(select(registrations.c.exporter_id).where(registrations.c.tax_number == tax_number)):
        raise TaxNumberTaken("", "tax_number")
