"""How a registration is shown to its company and the officers, and what certificates hear of it."""

from dataclasses import asdict
from uuid import UUID

from services.registry.catalogue import Catalogue
from services.registry.domain import particulars as domain
from services.registry.domain.registration import Asked, Registration, Status
from shared.contracts.messages import Event
from shared.contracts.registry.particulars import Paper, Particulars, Place, Representative
from shared.contracts.registry.registrations import (
    RegistrationApproved,
    RegistrationExpired,
    RegistrationReinstated,
    RegistrationState,
    RegistrationSuspended,
    Renewal,
)
from shared.handling.work import Work

READERS = ("registration_officer", "administrator", "auditor")


def state_of(registration: Registration, work: Work) -> RegistrationState:
    """A registration as it is shown."""
    catalogue = work.use(Catalogue)
    requirements = catalogue.requirements(work.today)
    district = catalogue.districts.get(registration.particulars.district or "")
    waits = registration.asked is not Asked.NOTHING or registration.status in (Status.APPLIED, Status.RETURNED, Status.REFUSED)
    return RegistrationState(
        exporter_id=registration.exporter_id,
        company_name=registration.particulars.company_name,
        tax_number=registration.tax_number,
        status=registration.status,
        documents=sorted(registration.documents),
        valid_from=registration.valid_from,
        valid_until=registration.valid_until,
        reason=registration.reason,
        version=registration.version,
        particulars=said(registration.particulars),
        place=Place(
            district=district.code,
            name_en=f"{district.kind} {district.name_en}",
            name_km=district.name_km,
            province_en=district.province_en,
            province_km=district.province_km,
        )
        if district
        else None,
        papers=papers_of(registration.documents),
        renewal=renewal_of(registration),
        renewable_from=registration.renewable_from(requirements),
        lacks=requirements.lacks(*registration.in_hand) if waits else (),
    )


def renewal_of(registration: Registration) -> Renewal | None:
    """What is handed in for another year, where one is asked for."""
    if registration.asked is Asked.NOTHING:
        return None
    particulars, documents = registration.in_hand
    return Renewal(
        status=registration.asked,
        particulars=said(particulars),
        papers=papers_of(documents),
        remarks=registration.renewal_remarks,
    )


def papers_of(documents: dict[str, str]) -> list[Paper]:
    """Documents with the files that hold them."""
    return [Paper(kind=kind, sha256=sha256) for kind, sha256 in sorted(documents.items())]


def said(particulars: domain.Particulars) -> Particulars:
    """What a company says of itself, as it is shown."""
    fields = asdict(particulars)
    if particulars.representative:
        fields["representative"] = Representative.model_construct(**asdict(particulars.representative))
    return Particulars.model_construct(**fields)  # it was examined when it came, perhaps by the bounds of another release


def heard(particulars: Particulars) -> domain.Particulars:
    """What a company says of itself, as it is kept."""
    named = particulars.representative
    representative = domain.Representative(**named.model_dump()) if named else None
    return domain.Particulars(**particulars.model_dump(exclude={"representative"}), representative=representative)


def approved(registration: Registration, work: Work) -> RegistrationApproved:
    """What certificates must know of a registration."""
    valid_from, valid_until = registration.validity
    return RegistrationApproved(
        exporter_id=registration.exporter_id,
        name=registration.particulars.company_name,
        address=work.use(Catalogue).address_of(registration.particulars),
        valid_from=valid_from,
        valid_until=valid_until,
        version=registration.approved_version,
        occurred_at=work.now,
    )


def standing(registration: Registration, work: Work) -> Event:
    """How a registration stands, where that has changed since it was approved."""
    said: dict[Status, type[RegistrationSuspended | RegistrationReinstated | RegistrationExpired]] = {
        Status.SUSPENDED: RegistrationSuspended,
        Status.ACTIVE: RegistrationReinstated,
        Status.EXPIRED: RegistrationExpired,
    }
    exporter_id: UUID = registration.exporter_id
    return said[registration.status](exporter_id=exporter_id, version=registration.standing_version, occurred_at=work.now)
