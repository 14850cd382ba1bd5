"""Registrations as they are shown to companies and officers, and as events for other services."""

from dataclasses import asdict

from services.registry.companies.domain import particulars as domain
from services.registry.companies.domain.life_cycle import Asked, Status
from services.registry.companies.domain.registration import Registration
from services.registry.companies.reference_data import District, ReferenceData
from shared.contracts.messages import Event
from shared.contracts.registry.particulars import Paper, Particulars, Place, Representative
from shared.contracts.registry.registration_lists import ListedRegistration
from shared.contracts.registry.registrations import (
    RegistrationApproved,
    RegistrationExpired,
    RegistrationReinstated,
    RegistrationState,
    RegistrationStatusChanged,
    RegistrationSuspended,
    Renewal,
)
from shared.handling.work import Work

_BEFORE_APPROVAL = (Status.APPLIED, Status.RETURNED, Status.REFUSED)


def state_of(registration: Registration, work: Work) -> RegistrationState:
    """A registration as it is shown."""
    reference_data = work.use(ReferenceData)
    requirements = reference_data.requirements(work.today)
    undecided = registration.asked is not Asked.NOTHING or registration.status in _BEFORE_APPROVAL
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
        particulars=shown_particulars(registration.particulars),
        place=place_of(reference_data.district_of(registration.particulars)),
        papers=states_of_documents(registration.documents),
        renewal=renewal_of(registration),
        renewable_from=registration.renewable_from(requirements),
        lacks=requirements.lacks(*registration.in_hand) if undecided else (),
    )


def listed_registration(registration: Registration) -> ListedRegistration:
    """A registration in a list."""
    return ListedRegistration(
        exporter_id=registration.exporter_id,
        company_name=registration.particulars.company_name,
        company_name_km=registration.particulars.company_name_km,
        tax_number=registration.tax_number,
        status=registration.status,
        renewal=None if registration.asked is Asked.NOTHING else registration.asked,
        valid_until=registration.valid_until,
        waiting_since=registration.waiting_since if registration.waits else None,
        version=registration.version,
    )


def place_of(district: District | None) -> Place | None:
    """A district with its province, or None."""
    return shown_place(district) if district else None


def shown_place(district: District) -> Place:
    """A district with its province."""
    return Place(
        district=district.code,
        name_en=f"{district.kind} {district.name_en}",
        name_km=district.name_km,
        province_en=district.province_en,
        province_km=district.province_km,
    )


def renewal_of(registration: Registration) -> Renewal | None:
    """The application for another year, or None."""
    if registration.asked is Asked.NOTHING:
        return None
    particulars, documents = registration.in_hand
    return Renewal(
        status=registration.asked,
        particulars=shown_particulars(particulars),
        papers=states_of_documents(documents),
        remarks=registration.renewal_remarks,
    )


def states_of_documents(documents: dict[str, str]) -> list[Paper]:
    """Documents with the hashes of their files."""
    return [Paper(kind=kind, sha256=sha256) for kind, sha256 in sorted(documents.items())]


def shown_particulars(particulars: domain.Particulars) -> Particulars:
    """The particulars of a company, as they are shown. Stored values are not validated again: the limits may have changed."""
    fields = asdict(particulars)
    if particulars.representative:
        fields["representative"] = Representative.model_construct(**asdict(particulars.representative))
    return Particulars.model_construct(**fields)


def given_particulars(particulars: Particulars) -> domain.Particulars:
    """The particulars that a company gives, as they are stored."""
    given = particulars.representative
    representative = domain.Representative(**given.model_dump()) if given else None
    return domain.Particulars(**particulars.model_dump(exclude={"representative"}), representative=representative)


def approved(registration: Registration, work: Work) -> RegistrationApproved:
    """The event of an approval."""
    valid_from, valid_until = registration.validity
    return RegistrationApproved(
        exporter_id=registration.exporter_id,
        name=registration.particulars.company_name,
        address=work.use(ReferenceData).address_of(registration.particulars),
        valid_from=valid_from,
        valid_until=valid_until,
        version=registration.approved_version,
        occurred_at=work.now,
    )


def status_changed(registration: Registration, work: Work) -> RegistrationStatusChanged:
    """The event for the portal: the registration is to be shown again."""
    return RegistrationStatusChanged(
        exporter_id=registration.exporter_id,
        status=registration.status,
        version=registration.version,
        occurred_at=work.now,
    )


def standing(registration: Registration, work: Work) -> Event:
    """The event of a suspension, a reinstatement or an expiry."""
    events: dict[Status, type[RegistrationSuspended | RegistrationReinstated | RegistrationExpired]] = {
        Status.SUSPENDED: RegistrationSuspended,
        Status.ACTIVE: RegistrationReinstated,
        Status.EXPIRED: RegistrationExpired,
    }
    event = events[registration.status]
    return event(exporter_id=registration.exporter_id, version=registration.standing_version, occurred_at=work.now)
