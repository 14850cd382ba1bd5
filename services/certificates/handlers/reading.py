"""Who may read a certificate, and which certificates a person may list."""

from typing import Protocol
from uuid import UUID

from services.certificates.domain.certificate import Certificate
from services.certificates.store.certificates import certificate_by_id
from services.certificates.store.lists import Whose
from shared.contracts.roles import Role
from shared.handling.actor import NotYours
from shared.handling.work import Work


class QuestionAboutCertificate(Protocol):
    """A question about one certificate."""

    @property
    def certificate_id(self) -> UUID: ...

    @property
    def read_by(self) -> frozenset[Role]: ...


async def certificate_to_read(question: QuestionAboutCertificate, work: Work) -> Certificate:
    """The certificate, for its exporter, the agent that drafted it, and the officers that read all.

    Raises CertificateNotFound, NotYours, BegunByAnother.
    """
    certificate = await certificate_by_id(work, question.certificate_id)
    work.actor.may_read(certificate.exporter_id, *question.read_by)
    work.actor.must_have_begun(certificate.agent_id)
    return certificate


def whose(exporter_id: UUID | None, office: str | None, read_by: frozenset[Role], work: Work) -> Whose:
    """The certificates or products that a person may list. An agent sees only the certificates that it drafted.

    Raises NotYours.
    """
    if work.actor.roles & read_by:
        return Whose(exporter_id=exporter_id, office=office)
    if exporter_id is None:
        exporter_id = _company_of(work)
    work.actor.must_act_for(exporter_id)
    return Whose(exporter_id=exporter_id, agent_id=work.actor.agent_id, office=office)


def _company_of(work: Work) -> UUID:
    try:
        return UUID(work.actor.organisation)
    except ValueError:  # an office
        raise NotYours() from None
