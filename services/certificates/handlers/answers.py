"""What the handlers of certificates answer."""

from services.certificates.domain.certificate import Certificate
from services.certificates.reference_data import ReferenceData
from services.certificates.store.certificates import is_settled
from services.certificates.store.exporters import find_exporter
from services.certificates.views import certificate_state
from shared.contracts.certificates.issuing import CertificateState
from shared.handling.work import Work


async def state_of(certificate: Certificate, work: Work) -> CertificateState:
    """A certificate as its exporter and the officers see it."""
    return certificate_state(
        certificate,
        settled=await is_settled(work, certificate),
        agent=await find_exporter(work, certificate.agent_id) if certificate.agent_id else None,
        form=work.use(ReferenceData).form(certificate.form, work.today),
        origin=work.country,
    )
