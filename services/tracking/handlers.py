"""The handlers of tracking: it stores the public data of events."""

from services.tracking import store
from services.tracking.store import TrackedCertificate, TrackedStep, store_newest
from shared.contracts.certificates.issuing import CertificateIssued
from shared.contracts.gateway import StatusCode, TransmissionAdvanced
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(CertificateIssued)
async def show_certificate_on_certificate_issued(event: CertificateIssued, work: Work) -> None:
    """From now on the public finds the certificate by its reference."""
    await store_newest(
        work,
        TrackedCertificate(
            reference=event.reference,
            certificate_id=event.certificate_id,
            form=event.form,
            destination=event.destination,
            issued_on=event.issued_on,
            valid_until=event.valid_until,
            version=event.version,
        ),
    )


@router.on(TransmissionAdvanced)
async def show_step_on_transmission_advanced(event: TransmissionAdvanced, work: Work) -> None:
    """The step is shown with its certificate, also if the event of the certificate arrives later."""
    await store_newest(
        work,
        TrackedStep(
            reference=event.reference,
            number=event.number,
            code=event.code.value,
            certificate_id=event.certificate_id,
            country=event.country,
            at=event.occurred_at,
            version=event.version,
            reasons=list(event.reasons),
        ),
    )


router.fact("issued", store.issued_certificates)
router.fact("numbered", store.references)
router.fact("transmitted", store.certificates_at(StatusCode.AS1))
router.fact("received", store.certificates_through(StatusCode.AS1, StatusCode.AS2, StatusCode.REC))
router.fact("rejected", store.certificates_at(StatusCode.NOT))
