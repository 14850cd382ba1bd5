"""An officer takes a certificate, so that no other officer decides on it meanwhile. The assignment expires by itself."""

from uuid import UUID

from services.certificates.domain.assignment import Assignment
from services.certificates.domain.certificate import Certificate, OtherOffice
from services.certificates.reference_data import ReferenceData
from services.certificates.store.assignments import end_assignment, find_assignment, keep_assignment
from services.certificates.store.certificates import certificate_by_id
from shared.contracts.certificates import assigning as contracts
from shared.contracts.certificates.assigning import AssignCertificate, ReleaseCertificate
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(AssignCertificate)
async def assign_certificate(command: AssignCertificate, work: Work) -> contracts.Assignment:
    """An officer takes a certificate, or keeps it for longer."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)
    certificate.must_be_in_process()
    if not command.take_over:
        await must_not_be_assigned_to_another(certificate, work)

    assignment = Assignment(
        certificate_id=certificate.certificate_id,
        officer=work.actor.must_have_id(),
        until=work.now + work.use(ReferenceData).assignment_lasts(work.today),
    )

    await keep_assignment(work, assignment)
    return contracts.Assignment(
        certificate_id=certificate.certificate_id, assigned_to=assignment.officer, assigned_until=assignment.until
    )


@router.answers(ReleaseCertificate)
async def release_certificate(command: ReleaseCertificate, work: Work) -> contracts.Assignment:
    """An officer gives up the assignment of a certificate."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)
    await must_not_be_assigned_to_another(certificate, work)

    await end_assignment(work, certificate.certificate_id)
    return contracts.Assignment(certificate_id=certificate.certificate_id)


async def certificate_to_decide(certificate_id: UUID, version: int | None, work: Work) -> Certificate:
    """The certificate, for an officer of its office who has read this version, unless another officer works on it.

    Raises CertificateNotFound, OtherOffice, CertificateChanged, AssignedToAnother.
    """
    certificate = await certificate_by_id(work, certificate_id)
    must_be_of_their_office(certificate, work)
    certificate.must_be_as_seen(version)
    await must_not_be_assigned_to_another(certificate, work)
    return certificate


def must_be_of_their_office(certificate: Certificate, work: Work) -> None:
    """Refuses officers of other offices. Officers of the headquarters act for all offices (ours)."""
    if work.actor.organisation != certificate.office and not work.use(ReferenceData).is_headquarters(work.actor.organisation):
        raise OtherOffice(office=certificate.office)


async def must_not_be_assigned_to_another(certificate: Certificate, work: Work) -> None:
    """Refuses while the certificate is assigned to another officer. Raises AssignedToAnother."""
    if assignment := await find_assignment(work, certificate.certificate_id):
        assignment.must_allow(work.actor.must_have_id(), work.now)
