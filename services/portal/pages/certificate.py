"""The page of one certificate: every box, what happens next, its fee, its way, its messages, and what can be done."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.responses import Response
from starlette.routing import Route

from services.portal.certificate_words import act_word, attachment_words, code_word, held_because, next_step, status_of
from services.portal.deciding_panel import deciding
from services.portal.declaration_panel import declaration_panel
from services.portal.draft_checks import must_be_corrected, problems_in, sentence_of
from services.portal.names import Names
from services.portal.navigation import AUDITORS, COMPANY, DECIDING, FILING
from services.portal.page import page
from services.portal.reference_data import acts_for
from services.portal.true_copy_panel import true_copy_panel
from services.portal.visit import Show, Visit
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.certificates.cancelling import REPLACED, CancellationReasons, ListCancellationReasons
from shared.contracts.certificates.checking import BoxProblem
from shared.contracts.certificates.content import (
    CertificateActKind,
    CertificateContent,
    CertificateHistory,
    GetCertificateContent,
    GetCertificateHistory,
    ListCertificateMessages,
    Thread,
)
from shared.contracts.certificates.issuing import CertificateState, CertificateStatus
from shared.contracts.certificates.sealing import ContingencyCopies, ContingencyCopy, ListContingencyCopies
from shared.contracts.certificates.withdrawing import ListRejectionReasons, RejectionReasons
from shared.contracts.fees import GetInvoice, InvoiceState
from shared.contracts.gateway.transmissions import GetTransmission, StatusCode, TransmissionState
from shared.contracts.messages import Question
from shared.contracts.registry.profiles import NamedUsers, NameUsers
from shared.contracts.roles import Role

READERS = COMPANY | DECIDING | AUDITORS
SENDING = frozenset({Role.APPROVER})
ITEMS_A_PAGE = 50
CHANGEABLE = frozenset({CertificateStatus.DRAFT, CertificateStatus.RETURNED, CertificateStatus.WITHDRAWN})
WITHDRAWABLE = frozenset({CertificateStatus.SUBMITTED, CertificateStatus.REVIEWED})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the timeline."""

    title: str
    at: datetime | None
    text: str = ""
    where: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Dossier:
    """Everything about one certificate that its page shows. What a person may not see, or what does not answer, is None."""

    content: CertificateContent
    history: CertificateHistory
    thread: Thread
    invoice: InvoiceState | None
    transmission: TransmissionState | None
    copies: tuple[ContingencyCopy, ...]
    people: dict[UUID, str]


async def gather(visit: Visit) -> Dossier:
    """Asks for everything about the certificate of the page."""
    certificate_id = visit.id("certificate_id")
    before, earlier = visit.query("before"), visit.query("earlier")
    content: CertificateContent
    history: CertificateHistory
    thread: Thread
    content, history, thread = await asyncio.gather(
        visit.ask(GetCertificateContent(certificate_id=certificate_id)),
        visit.ask(GetCertificateHistory(certificate_id=certificate_id, before=int(before) if before.isdigit() else None)),
        visit.ask(ListCertificateMessages(certificate_id=certificate_id, before=_id(earlier))),
    )
    wanted = [*(act.user_id for act in history.acts), *(message.user_id for message in thread.messages)]
    wanted += [content.reviewed_by, content.approved_by, content.assigned_to]
    invoice, transmission, copies, people = await asyncio.gather(
        _invoice(visit, content), _transmission(visit, content), _copies(visit, content), people_named(visit, wanted)
    )
    return Dossier(
        content=content,
        history=history,
        thread=thread,
        invoice=invoice,
        transmission=transmission,
        copies=copies,
        people=people,
    )


async def _invoice(visit: Visit, content: CertificateContent) -> InvoiceState | None:
    """The invoice for those who may see it. A draft has none."""
    if not content.submission or visit.someone.has(*DECIDING):
        return None
    found: InvoiceState | None = await _if_answered(visit, GetInvoice(certificate_id=content.state.certificate_id))
    return found


async def _transmission(visit: Visit, content: CertificateContent) -> TransmissionState | None:
    if content.state.status not in (CertificateStatus.ISSUED, CertificateStatus.CANCELLED):
        return None
    question = GetTransmission(certificate_id=content.state.certificate_id)
    found: TransmissionState | None = await _if_answered(visit, question)
    return found


async def _copies(visit: Visit, content: CertificateContent) -> tuple[ContingencyCopy, ...]:
    """The contingency prints of an issued certificate, latest first."""
    if not content.state.reference:
        return ()
    found: ContingencyCopies | None = await _if_answered(
        visit, ListContingencyCopies(certificate_id=content.state.certificate_id)
    )
    return found.copies if found else ()


async def _if_answered(visit: Visit, question: Question) -> Any:
    """The answer of another service; None if it refuses or does not answer. The page shows what there is."""
    try:
        return await visit.ask(question)
    except (AskRefused, NobodyAnswers, TimeoutError):
        return None


async def people_named(visit: Visit, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """The names of people, by id."""
    wanted = tuple(dict.fromkeys(each for each in ids if each is not None))[:200]
    if not wanted:
        return {}
    found: NamedUsers | None = await _if_answered(visit, NameUsers(user_ids=wanted))
    return found.names if found else {}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def timeline_of(dossier: Dossier, visit: Visit, names: Names) -> list[Entry]:
    """Acts, payments and codes of the transmission together, newest first."""
    _, entries = visit.language.gettext, []
    for act in dossier.history.acts:
        word = act_word(act.act, _)
        text = act.remarks or ""
        if act.act is CertificateActKind.CANCEL and text == REPLACED:
            text = _("Another certificate replaces it.")
        if act.act is CertificateActKind.HOLD:
            text = held_because(text, visit.language)
        who = dossier.people.get(act.user_id, "") if act.user_id else _("automatically")
        entries.append(Entry(title=word.title, at=act.at, text=text, where=who, kind=word.kind))
    for payment in dossier.invoice.payments if dossier.invoice else ():
        paid = _("%(amount)s by slip %(slip)s") % {
            "amount": visit.language.riel(payment.amount_khr),
            "slip": payment.slip_number,
        }
        if payment.recorded_at:
            entries.append(Entry(title=_("Paid"), at=payment.recorded_at, text=paid))
    former = [each.step for each in dossier.transmission.former] if dossier.transmission else []
    for step in (*former, *dossier.transmission.steps) if dossier.transmission else ():
        word = code_word(step.code, names.country(dossier.content.state.destination), _)
        entries.append(
            Entry(title=word.title, at=step.at, text=step.detail or "", where=names.country(step.country), kind=word.kind)
        )
    entries.sort(key=lambda entry: entry.at or visit.now, reverse=True)
    if entries and not entries[0].kind and not visit.query("before"):
        first = entries[0]
        entries[0] = Entry(title=first.title, at=first.at, text=first.text, where=first.where, kind="now")
    return entries


async def show_certificate(visit: Visit) -> Response:
    """The page of one certificate."""
    dossier, names = await gather(visit), Names(visit.language)
    content, _ = dossier.content, visit.language.gettext
    state, steps = content.state, dossier.transmission.steps if dossier.transmission else ()
    mine = visit.someone.has(*COMPANY)
    typed = visit.query("items")
    first = (int(typed) - 1) * ITEMS_A_PAGE if typed.isdigit() and 0 < int(typed) < 1000 else 0
    last = first + ITEMS_A_PAGE
    word, kind = status_of(state.status, state.waits_for, _)
    return visit.page(
        "certificate.html",
        content=content,
        state=state,
        consignment=content.consignment,
        dossier=dossier,
        invoice=dossier.invoice,
        names=names,
        status_word=word,
        status_kind=kind,
        next_step=next_step(state, steps[-1].code if steps else None, names, visit.language, mine=mine),
        items=list(enumerate(zip(content.consignment.items, content.items, strict=True), 1))[first:last],
        more_items=visit.here(items=str(first // ITEMS_A_PAGE + 2), done=None) if last < len(content.items) else None,
        entries=timeline_of(dossier, visit, names),
        older=visit.here(before=str(dossier.history.next), done=None) if dossier.history.next else None,
        earlier=visit.here(earlier=str(dossier.thread.next), done=None) if dossier.thread.next else None,
        reasons=await _reasons(visit, state.reasons),
        to_cancel=await _reasons_to_cancel(visit, state),
        replaced=REPLACED,
        remarks_of=lambda box, item=None: [
            each for each in state.box_remarks if each.box == box and (item is None or each.item == item)
        ],
        deciding=await deciding(visit, content, dossier.people),
        declaration=await declaration_panel(
            visit,
            dossier.transmission,
            lambda found: _sending(visit, found) if acts_for(visit.someone.organisation, state.office) else frozenset(),
            mine=mine,
        ),
        mine=mine,
        problems=await _problems(visit, content) if mine else [],
        kinds_of_attachment=attachment_words(_),
        true_copies=await true_copy_panel(visit, state, mine=mine, acts=acts_for(visit.someone.organisation, state.office)),
        may_preview=not state.reference and visit.someone.has(*FILING, *DECIDING),
        may_print=state.status is CertificateStatus.ISSUED and visit.someone.has(Role.SIGNATORY, Role.APPROVER),
        may=_acts(visit, state.status) if mine else _of_officer(visit, state, dossier.transmission),
        may_write=visit.someone.has(*FILING, *DECIDING) and state.status is not CertificateStatus.DISCARDED,
        last_code=steps[-1].code if steps else None,
    )


async def _problems(visit: Visit, content: CertificateContent) -> list[tuple[BoxProblem, str]]:
    """What to correct before the submission, for those who may correct it."""
    if content.state.status not in CHANGEABLE or not visit.someone.has(*FILING):
        return []
    found = await problems_in(visit, content.state.exporter_id, content.state.form, content.consignment)
    return [(each, sentence_of(visit, each)) for each in must_be_corrected(found)]


def _of_officer(visit: Visit, state: CertificateState, transmission: TransmissionState | None) -> frozenset[str]:
    """What an officer may do with an issued certificate and its transmission."""
    if not acts_for(visit.someone.organisation, state.office):
        return frozenset()
    cancels = state.status is CertificateStatus.ISSUED and visit.someone.has(Role.APPROVER)
    return _sending(visit, transmission) | ({"cancel"} if cancels else set())


def _sending(visit: Visit, transmission: TransmissionState | None) -> frozenset[str]:
    """What an approver may do with the transmission."""
    code = transmission.steps[-1].code if transmission and transmission.steps else None
    if transmission is None or not visit.someone.has(*SENDING):
        return frozenset()
    if code == StatusCode.AS1:
        return frozenset({"resume" if transmission.held else "hold"})
    return frozenset({"resend"}) if code == StatusCode.NOT else frozenset()


def _acts(visit: Visit, status: CertificateStatus) -> frozenset[str]:
    """What the page offers to a person of the company. The service decides."""
    found: set[str] = set()
    if visit.someone.has(*FILING):
        found.add("copy")
        if status is CertificateStatus.ISSUED:
            found.add("replace")
        if status in CHANGEABLE:
            found |= {"edit", "discard"}
    if visit.someone.has(Role.SIGNATORY):
        if status in CHANGEABLE:
            found.add("submit")
        if status in WITHDRAWABLE:
            found.add("withdraw")
    return frozenset(found)


async def _reasons(visit: Visit, codes: tuple[str, ...]) -> list[str]:
    """The sentences of coded reasons."""
    if not codes:
        return []
    known: RejectionReasons | None = await _if_answered(visit, ListRejectionReasons())
    texts = {each.code: each.text.get(visit.language.code) for each in known.reasons} if known else {}
    return [texts.get(code) or code for code in codes]


async def _reasons_to_cancel(visit: Visit, state: CertificateState) -> dict[str, str]:
    """The sentence of each reason to cancel, for those who read or give one."""
    if state.status not in (CertificateStatus.ISSUED, CertificateStatus.CANCELLED):
        return {}
    known: CancellationReasons | None = await _if_answered(visit, ListCancellationReasons())
    return {each.code: each.text.get(visit.language.code, each.text["en"]) for each in known.reasons} if known else {}


def certificate_page(path: str, show: Show, act: Show | None = None, *, roles: frozenset[Role] = READERS) -> Route:
    """The route of a page below a certificate."""
    return page(f"/certificates/{{certificate_id:uuid}}{path}", show, act, roles=roles)


routes = [certificate_page("", show_certificate)]
