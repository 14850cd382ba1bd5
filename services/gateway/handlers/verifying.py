"""Verification: our customs ask a partner's authority about a certificate, and our officers answer a partner's customs."""

from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Row, bindparam, select

from services.gateway import listing
from services.gateway.denials import DenialReasons
from services.gateway.handlers.messages import send_later
from services.gateway.kinds import DocumentKinds
from services.gateway.offices import Offices
from services.gateway.store import find_transmission, verification_cases
from services.gateway.verification import CaseAnswered, CaseNotFound, CaseNotOurs, VerificationCase, VerificationClocks
from services.gateway.wire.messages import Kind, QuestionedItem, Reason, VerificationAnswer, VerificationQuestion
from shared.contracts.gateway.verification import (
    AnswerVerification,
    AskVerification,
    ListVerifications,
    Verification,
    Verifications,
    VerificationState,
)
from shared.database.paging import By, page_of
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()

BY_LAST_DAY = (By(verification_cases.c.answer_by), By(verification_cases.c.case_id))


@router.answers(AskVerification)
async def ask_verification(command: AskVerification, work: Work) -> VerificationState:
    """The issuing authority of a received certificate is asked. It has 90 days."""
    if (known := await work.session.get(VerificationCase, command.case_id)) is not None:
        return VerificationState(case=view(known))
    inbound = await listing.newest_received(work, command.origin, command.reference)
    work.use(DocumentKinds).of(inbound.kind).must_permit(Kind.VERIFICATION_QUESTION, "reference")
    work.use(DenialReasons).text_of(command.reason, work.today)
    answer_by, close_by = work.use(VerificationClocks).of(work.today)
    case = VerificationCase(
        case_id=command.case_id,
        ours=True,
        partner=inbound.sender,
        reference=inbound.reference,
        number=inbound.number,
        reason=command.reason,
        question=command.question,
        asked_at=work.now,
        answer_by=answer_by,
        close_by=close_by,
        items=sorted(set(command.items)),
    )
    work.session.add(case)
    question = VerificationQuestion(
        case_id=case.case_id,
        asked_at=case.asked_at,
        answer_by=answer_by,
        reason=Reason(code=command.reason, detail=command.question),
        items=tuple(QuestionedItem(item=each) for each in case.items),
    )
    about = {"receiver": inbound.sender, "reference": inbound.reference}
    send_later(work, Kind.VERIFICATION_QUESTION, question, number=inbound.number, **about)
    return VerificationState(case=view(case))


@router.answers(AnswerVerification)
async def answer_verification(command: AnswerVerification, work: Work) -> VerificationState:
    """An officer answers the question of a partner's customs."""
    case = await case_by_id(work, command.case_id)
    if case.ours:
        raise CaseNotOurs("case_id")
    if certificate := await find_transmission(work, case.reference, number=1):
        work.use(Offices).must_allow(work.actor, certificate.office)
    if not case.take_answer(work.now, command.outcome, command.text):
        raise CaseAnswered("case_id")
    answer = VerificationAnswer(case_id=case.case_id, answered_at=work.now, outcome=command.outcome, text=command.text)
    about = {"receiver": case.partner, "reference": case.reference}
    send_later(work, Kind.VERIFICATION_ANSWER, answer, number=case.number, **about)
    return VerificationState(case=view(case))


@router.answers(ListVerifications)
async def list_verifications(question: ListVerifications, work: Work) -> Verifications:
    """Officers, customs and auditors list the cases; the one whose last day comes first stands first."""
    ours: BindParameter[bool] = bindparam("ours", question.ours)
    answered: BindParameter[bool] = bindparam("answered", not question.open)  # `!=` would use no index
    wanted = select(*verification_cases.c).where(verification_cases.c.ours == ours, verification_cases.c.answered == answered)
    rows, following = await page_of(work.session, wanted, BY_LAST_DAY, question.after, question.limit)
    return Verifications(cases=tuple(map(view, rows)), next=following)


async def case_by_id(work: Work, case_id: UUID) -> VerificationCase:
    """A case. Raises CaseNotFound."""
    found = await work.session.get(VerificationCase, case_id, with_for_update=work.may_write)
    if found is None:
        raise CaseNotFound("case_id")
    return found


def view(case: VerificationCase | Row[Any]) -> Verification:
    """A case as officers see it."""
    fields = {name: getattr(case, name) for name in Verification.model_fields}
    return Verification.model_validate(fields | {"items": tuple(case.items)})
