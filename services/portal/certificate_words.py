"""What a certificate's status means, what happens next, and who must act. The services decide; these are only words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.portal.names import Names
from shared.contracts.certificates.attachments import AttachmentKind
from shared.contracts.certificates.content import CertificateActKind
from shared.contracts.certificates.issuing import CertificateState, CertificateStatus
from shared.contracts.certificates.lists import CertificateCounts
from shared.contracts.gateway.transmissions import StatusCode
from shared.refusals import sentences
from shared.web.languages import Language

Gettext = Callable[[str], str]
STEPS_WAITED_FOR = frozenset({"submission", "review", "approval", "correction", "payment"})
"""The codes in `waits_for` that are no reason why an approved certificate is held."""


def status_of(status: CertificateStatus, waits_for: tuple[str, ...], _: Gettext) -> tuple[str, str]:
    """The word for a status, and the kind of its tag."""
    if status is CertificateStatus.APPROVED:
        if "payment" in waits_for:
            return _("Approved, not paid"), "waits"
        return (_("Held"), "bad") if waits_for else (_("Approved"), "good")
    return {
        CertificateStatus.DRAFT: (_("Draft"), "still"),
        CertificateStatus.SUBMITTED: (_("Submitted"), ""),
        CertificateStatus.RETURNED: (_("To correct"), "waits"),
        CertificateStatus.REVIEWED: (_("Reviewed"), ""),
        CertificateStatus.ISSUED: (_("Issued"), "good"),
        CertificateStatus.REJECTED: (_("Rejected"), "bad"),
        CertificateStatus.WITHDRAWN: (_("Withdrawn"), "still"),
        CertificateStatus.DISCARDED: (_("Discarded"), "still"),
        CertificateStatus.CANCELLED: (_("Cancelled"), "bad"),
    }[status]


def counted(counts: CertificateCounts, statuses: Iterable[CertificateStatus], language: Language) -> str:
    """How many certificates have one of these statuses, such as 1,234, or 2,000+ where not all were counted."""
    chosen = set(statuses)
    more = "+" if chosen.intersection(counts.at_least) else ""
    return language.number(sum(counts.by_status.get(status, 0) for status in chosen)) + more


def next_step(state: CertificateState, code: StatusCode | None, names: Names, language: Language, *, mine: bool) -> str:
    """What happens next and who must act. `mine`: for the exporter. `code`: the last one of the transmission."""
    _, status, office = language.gettext, state.status, names.office(state.office)
    to_pay = _("Pay the fee meanwhile: it is issued only after the payment.") if mine and "payment" in state.waits_for else ""
    if status is CertificateStatus.SUBMITTED:
        return _two(_("An officer of %(office)s reviews it.") % {"office": office}, to_pay)
    if status is CertificateStatus.REVIEWED:
        return _two(_("A second officer of %(office)s must approve it.") % {"office": office}, to_pay)
    if status is CertificateStatus.APPROVED:
        return _approved(state, language, mine=mine)
    if status is CertificateStatus.ISSUED:
        return transmission_meaning(code, names.country(state.destination), _)
    if mine and status is CertificateStatus.RETURNED:
        return _("Correct what the remarks say, then submit it again.")
    company = {
        CertificateStatus.DRAFT: _("A signatory of the company must submit it. The ministry does not see it before."),
        CertificateStatus.RETURNED: _("The exporter must correct what the remarks say, and submit it again."),
        CertificateStatus.REJECTED: _("This decision is final. A new certificate can begin as a copy of it."),
        CertificateStatus.WITHDRAWN: _("The exporter has withdrawn it, and can change it and submit it again."),
        CertificateStatus.DISCARDED: _("The exporter has discarded it. Nothing more happens."),
        CertificateStatus.CANCELLED: _("It is not valid any more. Nothing more happens."),
    }
    return company[status]


def _two(first: str, second: str) -> str:
    return f"{first} {second}" if second else first


def _approved(state: CertificateState, language: Language, *, mine: bool) -> str:
    _ = language.gettext
    if "payment" in state.waits_for:
        return _("Pay the fee: it is issued right after the payment.") if mine else _("The exporter must pay the fee.")
    held = [code for code in state.waits_for if code not in STEPS_WAITED_FOR]
    if held:
        return _two(_("It cannot be issued at present."), held_because(held[0], language))
    return _("It gets its number in a moment. Nobody needs to do anything.")


def held_because(code: str, language: Language) -> str:
    """Why an approved certificate is held: the sentence of the refusal with this code."""
    found = sentences(language.code).get(code, "")
    return found if found and "{" not in found else code


def transmission_meaning(code: StatusCode | None, country: str, _: Gettext) -> str:
    """What the last code of a transmission means for the person who waits."""
    found = {
        None: _("It is issued. Its way to the customs of %(country)s begins in a moment."),
        StatusCode.AS1: _("It is on its way to the customs of %(country)s. Nobody needs to do anything."),
        StatusCode.AS2: _("It has reached %(country)s. Its customs system takes it over next."),
        StatusCode.REC: _("The customs of %(country)s have it: the goods can be declared there."),
        StatusCode.NOT: _("%(country)s has not accepted it. Read the reason below and write to your office."),
        StatusCode.UTP: _("The customs of %(country)s have used it for a part of the goods."),
        StatusCode.UTL: _("The customs of %(country)s have used it. Nothing more happens."),
        StatusCode.DEN: _("The customs of %(country)s have denied the preference. Read the reason and call your consignee."),
        StatusCode.CAN: _("It was cancelled."),
    }[code]
    return found % {"country": country} if "%(" in found else found


@dataclass(frozen=True)
class Word:
    """A title, and the kind of an entry in a timeline."""

    title: str
    kind: str = ""


def act_word(act: CertificateActKind, _: Gettext) -> Word:
    """The title of an act in the timeline."""
    return {
        CertificateActKind.DRAFT: Word(_("Drafted")),
        CertificateActKind.REVISE: Word(_("Changed")),
        CertificateActKind.DISCARD: Word(_("Discarded")),
        CertificateActKind.SUBMIT: Word(_("Submitted")),
        CertificateActKind.WITHDRAW: Word(_("Withdrawn")),
        CertificateActKind.RETURN: Word(_("Returned for correction"), "bad"),
        CertificateActKind.REVIEW: Word(_("Reviewed")),
        CertificateActKind.APPROVE: Word(_("Approved")),
        CertificateActKind.REJECT: Word(_("Rejected"), "bad"),
        CertificateActKind.HOLD: Word(_("Held"), "bad"),
        CertificateActKind.ISSUE: Word(_("Issued")),
        CertificateActKind.CANCEL: Word(_("Cancelled"), "bad"),
    }[act]


def code_word(code: StatusCode, country: str, _: Gettext) -> Word:
    """The title of a code of a transmission in the timeline."""
    text, kind = {
        StatusCode.AS1: (_("AS1: at the gateway of Cambodia"), ""),
        StatusCode.AS2: (_("AS2: at the gateway of %(country)s"), ""),
        StatusCode.REC: (_("REC: with the customs of %(country)s"), ""),
        StatusCode.NOT: (_("NOT: not accepted by %(country)s"), "bad"),
        StatusCode.UTP: (_("UTP: used in part in %(country)s"), ""),
        StatusCode.UTL: (_("UTL: used in %(country)s"), ""),
        StatusCode.DEN: (_("DEN: preference denied in %(country)s"), "bad"),
        StatusCode.CAN: (_("CAN: cancelled"), "bad"),
    }[code]
    return Word(text % {"country": country} if "%(" in text else text, kind)


def attachment_words(_: Gettext) -> dict[AttachmentKind, str]:
    """What each kind of attached document is called."""
    return {
        AttachmentKind.INVOICE: _("Invoice"),
        AttachmentKind.PACKING_LIST: _("Packing list"),
        AttachmentKind.TRANSPORT_DOCUMENT: _("Transport document"),
        AttachmentKind.OTHER: _("Another document"),
    }
