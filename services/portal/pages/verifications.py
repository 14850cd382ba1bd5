"""Verifications: officers answer the customs of other countries, and our customs see their questions and the answers."""

from datetime import timedelta

from starlette.responses import Response

from services.portal.navigation import AUDITORS, CUSTOMS, DECIDING
from services.portal.page import page
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.gateway.received import DenialReasons, ListDenialReasons
from shared.contracts.gateway.verification import (
    AnswerVerification,
    ListVerifications,
    VerificationOutcome,
    Verifications,
)
from shared.contracts.roles import Role

READERS = DECIDING | AUDITORS | CUSTOMS
HERE = f"{PREFIX}/verifications"
SOON = timedelta(days=14)


async def show_verifications(visit: Visit) -> Response:
    """The cases: those of partners for officers, and our own for customs."""
    ours = visit.someone.has(*CUSTOMS) if visit.query("ours") == "" else visit.query("ours") == "yes"
    still_open, after = visit.query("closed") != "yes", visit.query("after") or None
    question = visit.form.build(ListVerifications, [], ours=ours, open=still_open, after=after)
    listed: Verifications = await visit.ask(question)
    known: DenialReasons = await visit.ask(ListDenialReasons())
    reasons = {each.code: each.text.get(visit.language.code, each.text["en"]) for each in known.reasons}
    _ = visit.language.gettext
    return visit.page(
        "verifications.html",
        cases=listed.cases,
        ours=ours,
        open=still_open,
        today=visit.now.date(),
        soon=visit.now.date() + SOON,
        reason_of=lambda code: reasons.get(code, code),
        outcomes={
            VerificationOutcome.CONFIRMED: _("The origin is confirmed"),
            VerificationOutcome.NOT_CONFIRMED: _("The origin is not confirmed"),
            VerificationOutcome.NOT_GENUINE: _("The certificate is not genuine"),
        },
        may_answer=visit.someone.has(Role.APPROVER) and not ours and still_open,
        words=Wording(visit.language),
        next=visit.here(after=listed.next) if listed.next else None,
        first=visit.here(after=None) if after else None,
        address=HERE,
    )


async def answer(visit: Visit) -> Response:
    """An approver answers the customs of a partner."""
    await visit.ask(visit.form.build(AnswerVerification, ["outcome", "text"], case_id=visit.id("case_id")))
    return visit.go(HERE, done="answered")


routes = [
    page("/verifications", show_verifications, roles=READERS),
    page("/verifications/{case_id:uuid}/answer", show_verifications, answer, roles=frozenset({Role.APPROVER})),
]
