"""What stands beside a certificate for an officer who decides on it: `deciding_panel.html`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from services.portal.navigation import DECIDING
from services.portal.reference_data import acts_for
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.certificates.content import CertificateContent
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.certificates.withdrawing import ListRejectionReasons, RejectionReasons
from shared.contracts.roles import Role

QUEUE_FIELDS = ("tab", "office", "search")
"""What a page keeps of the queue from which it was opened, so that the next certificate comes from the same one."""


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """What the panel beside a certificate shows. `why_not`: why this person decides nothing here."""

    content: CertificateContent
    acts: frozenset[str]
    why_not: str
    mine: bool
    other: str
    until: datetime | None
    reasons: tuple[tuple[str, str], ...]
    checks: tuple[tuple[str, str], ...]
    boxes: dict[int, str]
    queue: dict[str, str]
    next_address: str

    @property
    def path(self) -> str:
        """The address of the certificate."""
        return address_of(self.content.state.certificate_id)


def address_of(certificate_id: UUID) -> str:
    """The address of a certificate."""
    return f"{PREFIX}/certificates/{certificate_id}"


def about(form: str, exporter: str, consignee: str, destination: str, words: Wording) -> str:
    """A certificate in words, for the list of what is confirmed."""
    named = words.gettext("Form %s") % form
    return f"{named} · {exporter} → {consignee}, {words.country(destination)}"


def about_content(content: CertificateContent, words: Wording) -> str:
    """A certificate in words."""
    consignment = content.consignment
    return about(content.state.form, content.exporter_name, consignment.consignee.name, consignment.destination, words)


async def deciding(visit: Visit, content: CertificateContent, names: Mapping[UUID, str]) -> Deciding | None:
    """The values of `deciding_panel.html`; None for people who never decide on certificates. `names`: of the people on it."""
    person, state = visit.someone, content.state
    if not person.has(*DECIDING):
        return None
    assigned = content.assigned_to if content.assigned_until and content.assigned_until > visit.now else None
    other = ""
    if assigned and assigned != person.user_id:
        other = names.get(assigned, str(assigned))
    acts = _acts(visit, content)
    reasons: tuple[tuple[str, str], ...] = ()
    if "reject" in acts:
        known: RejectionReasons = await visit.ask(ListRejectionReasons())
        reasons = tuple((each.code, each.text.get(visit.language.code, each.code)) for each in known.reasons)
    queue = queue_of(visit)
    return Deciding(
        content=content,
        acts=acts,
        why_not=_why_not(visit, content),
        mine=assigned == person.user_id,
        other=other,
        until=content.assigned_until if assigned else None,
        reasons=reasons,
        checks=checks(visit),
        boxes=Wording(visit.language).boxes,
        queue=queue,
        next_address=f"{PREFIX}/queue/next?{urlencode({**queue, 'not': str(state.certificate_id)})}",
    )


def queue_of(visit: Visit) -> dict[str, str]:
    """The queue from which the page was opened."""
    return {name: value for name in QUEUE_FIELDS if (value := visit.form.text(name)[:200] or visit.query(name))}


def checks(visit: Visit) -> tuple[tuple[str, str], ...]:
    """The checks before a certificate is issued (ATIGA Annex 8, Rule 6), as codes and sentences."""
    _ = visit.language.gettext
    return (
        ("complete", _("The application is complete and signed by an authorised signatory.")),
        ("origin", _("The goods originate in Cambodia under the criterion in box 8.")),
        ("documents", _("The data agree with the supporting documents.")),
        ("goods", _("Description, quantity, weight, marks and packages agree with the goods.")),
    )


def _acts(visit: Visit, content: CertificateContent) -> frozenset[str]:
    """The acts that the panel offers. The service decides whether it accepts them."""
    person, state = visit.someone, content.state
    if _why_not(visit, content):
        return frozenset()
    offered = {
        CertificateStatus.SUBMITTED: {"review", "return", "reject"},
        CertificateStatus.REVIEWED: {"approve", "return", "reject"},
        CertificateStatus.APPROVED: {"reject"},
    }.get(state.status, set())
    if not person.has(Role.REVIEWER):
        offered = offered - {"review"}
    if not person.has(Role.APPROVER) or content.reviewed_by == person.user_id:
        offered = offered - {"approve"}
    return frozenset(offered)


def _why_not(visit: Visit, content: CertificateContent) -> str:
    _, state = visit.language.gettext, content.state
    if not acts_for(visit.someone.organisation, state.office):
        return _("This certificate belongs to another office: %s.") % Wording(visit.language).office(state.office)
    return ""
