"""The handlers of tracking: it stores the public data of events, and keys that an operator issues."""

from dataclasses import replace

from services.tracking import check_keys, store
from services.tracking.certified_tables import TrackedCertifiedExporter, certified_codes, store_certified
from services.tracking.outage_tables import TrackedNotice, TrackedOutage
from services.tracking.store import (
    Progress,
    ReachedStatus,
    TrackedCancellation,
    TrackedCertificate,
    TrackedPartner,
    TrackedStep,
    TrackedTransmission,
    store_newest,
)
from services.tracking.tracked_seals import TrackedData, TrackedKey, TrackedSeal, store_data, store_key, store_seal
from shared.contracts.certificates.cancelling import CertificateCancelled
from shared.contracts.certificates.issuing import CertificateIssued, CertificateStatusChanged
from shared.contracts.certificates.sealing import CertificateSealed, DocumentKeyPublished
from shared.contracts.certificates.self_certification import CertifiedExporterChanged
from shared.contracts.gateway.outages import ContingencyIssued, PartnerOutageChanged
from shared.contracts.gateway.partners import PartnerObserved
from shared.contracts.gateway.transmissions import StatusCode, TransmissionAdvanced
from shared.contracts.tracking import (
    CheckKey,
    CheckKeyIssued,
    CheckKeys,
    CheckKeyWithdrawn,
    IssueCheckKey,
    ListCheckKeys,
    WithdrawCheckKey,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()

MAX_CODE = 10
"""Maximum characters of the code of an office or a country in the tables."""


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


@router.on(CertificateCancelled)
async def show_cancellation_on_certificate_cancelled(event: CertificateCancelled, work: Work) -> None:
    """The public sees that the certificate is not valid any more, and which one replaces it."""
    await store_newest(
        work,
        TrackedCancellation(event.reference, event.occurred_at, event.reason, event.replaced_by, event.version),
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
    await store_newest(
        work,
        TrackedTransmission(
            event.reference, event.number, event.destination, event.code.value, event.version, event.occurred_at
        ),
    )


@router.on(CertificateStatusChanged)
async def store_status_on_certificate_status_changed(event: CertificateStatusChanged, work: Work) -> None:
    """The figures count for whom a certificate waits, and how long each step took."""
    await store_newest(work, Progress(event.certificate_id, event.status.value, event.version))
    await store_newest(
        work,
        ReachedStatus(
            certificate_id=event.certificate_id,
            status=event.status.value,
            office=event.office[:MAX_CODE],
            destination=event.destination[:MAX_CODE],
            submission=event.submission,
            at=event.occurred_at,
            version=event.version,
        ),
    )


@router.on(CertificateSealed)
async def store_seal_on_certificate_sealed(event: CertificateSealed, work: Work) -> None:
    """From now on everybody can check this document."""
    await store_seal(
        work,
        TrackedSeal(
            sha256=event.sha256,
            certificate_id=event.certificate_id,
            reference=event.reference,
            key_id=event.key_id,
            summary=event.summary,
            contingency_number=event.contingency_number,
            sealed_at=event.occurred_at,
        ),
    )
    data = TrackedData(sha256="", reference=event.reference, key_id=event.key_id, sealed_at=event.occurred_at)
    await store_data(work, [replace(data, sha256=each) for each in event.data_sha256])


@router.on(DocumentKeyPublished)
async def store_key_on_document_key_published(event: DocumentKeyPublished, work: Work) -> None:
    """The signatures of this key can be checked."""
    await store_key(
        work,
        TrackedKey(
            key_id=event.key_id,
            office=event.office[:MAX_CODE],
            certificate=event.certificate,
            withdrawn_since=event.withdrawn_since,
            version=event.version,
        ),
    )


@router.on(CertifiedExporterChanged)
async def store_certified_exporter_on_certified_exporter_changed(event: CertifiedExporterChanged, work: Work) -> None:
    """From now on everybody can check the declarations of this exporter."""
    await store_certified(
        work,
        TrackedCertifiedExporter(
            code=event.code,
            exporter_id=event.exporter_id,
            valid_from=event.valid_from,
            valid_until=event.valid_until,
            withdrawn_on=event.withdrawn_on,
            suspensions=[each.model_dump(mode="json") for each in event.suspensions],
            signatories=[each.model_dump(mode="json") for each in event.signatories],
            goods=[each.model_dump(mode="json") for each in event.goods],
            version=event.version,
        ),
    )


@router.on(PartnerObserved)
async def show_partner_on_partner_observed(event: PartnerObserved, work: Work) -> None:
    """The public sees whether the gateway of a partner answers, and since when."""
    await store_newest(work, TrackedPartner(event.country, event.state.value, event.occurred_at, event.version))


@router.on(PartnerOutageChanged)
async def show_outage_on_partner_outage_changed(event: PartnerOutageChanged, work: Work) -> None:
    """The public sees that a partner is out, and since when."""
    await store_newest(work, TrackedOutage(event.country, event.since, event.ended_at, event.version))


@router.on(ContingencyIssued)
async def show_notice_on_contingency_issued(event: ContingencyIssued, work: Work) -> None:
    """From now on a buyer and customs can check the notice."""
    await store_newest(
        work,
        TrackedNotice(
            number=event.number,
            kind=event.kind.value,
            certificate_id=event.certificate_id,
            reference=event.reference,
            destination=event.destination,
            out_since=event.out_since,
            issued_at=event.occurred_at,
            token=event.token,
            public_key=event.public_key,
            version=event.version,
        ),
    )


@router.answers(IssueCheckKey)
async def issue_check_key(command: IssueCheckKey, work: Work) -> CheckKeyIssued:
    """An operator issues a key for an authority abroad."""
    key_id, key = await check_keys.issue_key(work, command.authority, command.country)
    return CheckKeyIssued(key_id=key_id, key=key)


@router.answers(WithdrawCheckKey)
async def withdraw_check_key(command: WithdrawCheckKey, work: Work) -> CheckKeyWithdrawn:
    """An operator withdraws a key."""
    return CheckKeyWithdrawn(key=_shown(await check_keys.withdraw_key(work, command.key_id)))


@router.answers(ListCheckKeys)
async def list_check_keys(question: ListCheckKeys, work: Work) -> CheckKeys:
    """Which keys were issued, and which are withdrawn?"""
    return CheckKeys(keys=[_shown(key) for key in await check_keys.all_keys(work)])


def _shown(key: check_keys.KeptKey) -> CheckKey:
    return CheckKey(
        key_id=key.key_id,
        authority=key.authority,
        country=key.country,
        issued_at=key.issued_at,
        withdrawn_at=key.withdrawn_at,
    )


router.fact("issued", store.issued_certificates)
router.fact("numbered", store.references)
router.fact("certified_exporters", certified_codes)
router.fact("transmitted", store.certificates_at(StatusCode.AS1))
router.fact("received", store.certificates_through(StatusCode.AS1, StatusCode.AS2, StatusCode.REC))
router.fact("rejected", store.certificates_at(StatusCode.NOT))
