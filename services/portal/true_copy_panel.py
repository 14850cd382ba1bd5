"""The certified true copies of a certificate, as its page shows them."""

from dataclasses import dataclass
from datetime import date

from services.portal.visit import Visit
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.certificates.issuing import CertificateState, CertificateStatus
from shared.contracts.certificates.true_copies import ListTrueCopies, TrueCopies, TrueCopyState, TrueCopyStatus
from shared.contracts.roles import Role


@dataclass(frozen=True)
class TrueCopyPanel:
    """The copies of a certificate, and what a person may do: request one, or decide on the request that waits."""

    copies: tuple[TrueCopyState, ...]
    waiting: TrueCopyState | None
    may_request: bool
    may_decide: bool


async def true_copy_panel(visit: Visit, state: CertificateState, *, mine: bool, acts: bool) -> TrueCopyPanel | None:
    """The panel of an issued certificate; None if there is nothing to show. `acts`: an officer of its office looks at it."""
    if not state.reference:
        return None
    try:
        found: TrueCopies = await visit.ask(ListTrueCopies(certificate_id=state.certificate_id))
    except (AskRefused, NobodyAnswers, TimeoutError):
        return None
    waiting = next((each for each in found.copies if each.status is TrueCopyStatus.REQUESTED), None)
    valid = state.status is CertificateStatus.ISSUED and _within_a_year(state.issued_on, visit.context.clock.today())
    may_request = mine and valid and waiting is None and visit.someone.has(Role.SIGNATORY)
    may_decide = acts and waiting is not None and visit.someone.has(Role.APPROVER)
    return TrueCopyPanel(found.copies, waiting, may_request, may_decide) if found.copies or may_request else None


def _within_a_year(issued_on: date | None, today: date) -> bool:
    """Whether to offer a request. The service decides by the calendar."""
    return issued_on is not None and (today - issued_on).days <= 366
