"""The page that confirms decisions: what is confirmed, in words, then a code or a passkey, then what became of each."""

import asyncio
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from services.portal.confirmations import Confirmations, Pending, Report, Staged, send_all, with_ids
from services.portal.page import page
from services.portal.proofs import options_or_none, second_factor_of
from services.portal.settings import PREFIX
from services.portal.visit import SignInAgain, Visit
from services.portal.wording import Wording
from shared.contracts.certificates.cancelling import CancelCertificate
from shared.contracts.certificates.issuing import ApproveCertificate, RejectCertificate
from shared.contracts.certificates.self_certification import (
    ChangeCertifiedExporter,
    GrantCertifiedExporter,
    ReinstateCertifiedExporter,
    SuspendCertifiedExporter,
    WithdrawCertifiedExporter,
)
from shared.contracts.messages import Command
from shared.contracts.registry.identity import GiveStepUp, StepUp
from shared.contracts.registry.passkeys import ChallengeStepUp
from shared.contracts.registry.profiles import GetProfile, ProfileState
from shared.contracts.registry.registrations import (
    ApproveRegistration,
    RefuseRegistration,
    ReinstateRegistration,
    SuspendRegistration,
)
from shared.contracts.registry.users import (
    ChangeOfficerRoles,
    DeactivateOfficer,
    InviteOfficer,
    RemoveSecondFactor,
    TransferOfficer,
)
from shared.web.languages import Language
from shared.web.site import own_address

HOME = f"{PREFIX}/"
CONFIRM = f"{PREFIX}/confirm"
LOOKS, PAUSE = 100, 0.2
"""How often, and after how many seconds, a second click looks whether the first one is done."""


async def confirm_first(visit: Visit, commands: Sequence[tuple[Command, str, str]], back: str, done: str) -> Response:
    """Puts binding decisions before the person: each a command, what it concerns in words, and the page about it."""
    pending_id = visit.form.command_id("decisions")
    staged = with_ids(commands, pending_id)
    await _confirmations(visit).stage(Pending(pending_id=pending_id, staged=staged, back=own_address(back, HOME), done=done))
    return visit.go(CONFIRM)


async def show_confirm(visit: Visit) -> Response:
    """What waits for the confirmation; or the report, if it is done."""
    pending, report = await _confirmations(visit).present()
    language = visit.language
    if pending is not None:
        acts = [(act_of(each, language), each, facts_of(each, language)) for each in pending.staged]
        options = None
        if pending.claimed_until is None or pending.claimed_until < visit.now:
            profile: ProfileState = await visit.ask(GetProfile())
            if profile.passkeys:
                options = await options_or_none(visit, ChallengeStepUp(decisions=pending.decisions))
        return visit.page("confirm.html", pending=pending, acts=acts, options=options)
    if report is not None:
        lines = [(act_of(each.staged, language), each, _sentence(each.refusal, language)) for each in report.outcomes]
        return visit.page("confirm_report.html", report=report, lines=lines)
    return visit.page("confirm_nothing.html")


async def confirm(visit: Visit) -> Response:
    """Confirms the decisions and sends them; a second click gets the same report."""
    confirmations, form = _confirmations(visit), visit.form
    pending, _report = await confirmations.present()
    if form.text("act") == "cancel":
        await confirmations.drop()
        return visit.go(pending.back if pending else HOME)
    if pending is None or str(pending.pending_id) != form.text("pending"):
        return await _second_click(visit)
    claimed = await confirmations.claim(pending.pending_id, visit.now)
    if claimed is None:
        return await _second_click(visit)
    try:
        shown = second_factor_of(visit)
        if not any(shown.values()):
            form.fail("code", visit.language.gettext("Fill in this field."))
            form.must_be_valid()
        proof = form.build(GiveStepUp, [], decisions=claimed.decisions, **shown)
        given: StepUp = await visit.ask(proof)
    except BaseException:
        await confirmations.unclaim(claimed.pending_id)
        raise

    async def send(command: Command) -> Any:
        return await visit.ask(command, step_up=given.token)

    report = await send_all(claimed, send)
    await confirmations.finish(report)
    return _to_report(visit, report)


async def _second_click(visit: Visit) -> Response:
    """Another request of this browser sends the decisions at this moment, or has sent them: its report is shown."""
    confirmations, wanted = _confirmations(visit), visit.form.text("pending")
    for _look in range(LOOKS):
        pending, report = await confirmations.present()
        if report is not None and str(report.pending_id) == wanted:
            return _to_report(visit, report)
        if pending is None or str(pending.pending_id) != wanted or pending.claimed_until is None:
            break
        await asyncio.sleep(PAUSE)
    return visit.go(CONFIRM)


def _to_report(visit: Visit, report: Report) -> Response:
    return visit.go(report.back, done=report.done) if report.is_plain else visit.go(CONFIRM)


def _confirmations(visit: Visit) -> Confirmations:
    if visit.browser is None:
        raise SignInAgain
    return Confirmations(visit.browsers, visit.browser.cookie)


def _sentence(refusal: Any, language: Language) -> str:
    return language.refusal(refusal.code, refusal.values, refusal.detail) if refusal else ""


def act_of(staged: Staged, language: Language) -> str:
    """What is decided, as a sentence."""
    _ = language.gettext
    return {
        ApproveCertificate.subject: _("Approve the certificate"),
        RejectCertificate.subject: _("Reject the certificate"),
        CancelCertificate.subject: _("Cancel the certificate"),
        GrantCertifiedExporter.subject: _("Certify the exporter"),
        ChangeCertifiedExporter.subject: _("Change the certified exporter"),
        SuspendCertifiedExporter.subject: _("Suspend the certified exporter"),
        ReinstateCertifiedExporter.subject: _("Reinstate the certified exporter"),
        WithdrawCertifiedExporter.subject: _("Withdraw the certified exporter for ever"),
        ApproveRegistration.subject: _("Register the company for one year"),
        RefuseRegistration.subject: _("Refuse the registration"),
        SuspendRegistration.subject: _("Suspend the registration"),
        ReinstateRegistration.subject: _("Reinstate the registration"),
        InviteOfficer.subject: _("Invite an officer"),
        ChangeOfficerRoles.subject: _("Change the roles of an officer"),
        TransferOfficer.subject: _("Transfer an officer"),
        DeactivateOfficer.subject: _("Deactivate the account of an officer"),
        RemoveSecondFactor.subject: _("Remove the second factor of an officer"),
    }[staged.subject]


def facts_of(staged: Staged, language: Language) -> list[tuple[str, str]]:
    """What else the person signs: reasons, roles, office, address."""
    _, words, command = language.gettext, Wording(language), staged.command
    match command:
        case RejectCertificate() | RefuseRegistration() | SuspendRegistration() | ReinstateRegistration():
            return [(_("Reason"), command.reason)]
        case CancelCertificate():
            return [(_("Remarks"), command.remarks)]
        case GrantCertifiedExporter() | ChangeCertifiedExporter():
            people = ", ".join(f"{each.name} ({each.position})" for each in command.signatories)
            count = _("%(count)s products") % {"count": len(command.product_ids)}
            last = language.date(command.valid_until)
            return [(_("Last day"), last), (_("Signatories"), people), (_("Products"), count), (_("Reason"), command.reason)]
        case SuspendCertifiedExporter() | ReinstateCertifiedExporter() | WithdrawCertifiedExporter():
            return [(_("Reason"), command.reason)]
        case InviteOfficer():
            roles = ", ".join(map(words.role, command.roles))
            return [(_("E-mail address"), command.email), (_("Roles"), roles), (_("Office"), words.office(command.office))]
        case ChangeOfficerRoles():
            return [(_("Roles from now on"), ", ".join(map(words.role, command.roles)))]
        case TransferOfficer():
            return [(_("Office from now on"), words.office(command.office))]
        case _:
            return []


routes = [page("/confirm", show_confirm, confirm)]
