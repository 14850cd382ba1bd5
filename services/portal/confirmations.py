"""Decisions that wait for a confirmation by a code or a passkey, and the report on what became of them.

Between the page that decides and the page that confirms, they stand in the session of the browser, encrypted by its cookie.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from services.portal.browsers import Browser, Browsers
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.certificates.cancelling import CancelCertificate
from shared.contracts.certificates.issuing import ApproveCertificate, RejectCertificate
from shared.contracts.certificates.self_certification import (
    ChangeCertifiedExporter,
    GrantCertifiedExporter,
    ReinstateCertifiedExporter,
    SuspendCertifiedExporter,
    WithdrawCertifiedExporter,
)
from shared.contracts.messages import Command, Refusal
from shared.contracts.registry.identity import Decision
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
from shared.security.step_up import MAX_DECISIONS, digest_of

T = TypeVar("T")
CONFIRMED: tuple[type[Command], ...] = (
    ApproveCertificate,
    RejectCertificate,
    CancelCertificate,
    GrantCertifiedExporter,
    ChangeCertifiedExporter,
    SuspendCertifiedExporter,
    ReinstateCertifiedExporter,
    WithdrawCertifiedExporter,
    ApproveRegistration,
    RefuseRegistration,
    SuspendRegistration,
    ReinstateRegistration,
    InviteOfficer,
    ChangeOfficerRoles,
    TransferOfficer,
    DeactivateOfficer,
    RemoveSecondFactor,
)
BY_SUBJECT = {kind.subject: kind for kind in CONFIRMED}
CLAIM = timedelta(seconds=90)
"""How long one request may take to send the decisions. Then another may, with the same command ids."""
AT_ONCE = 8
PENDING, REPORT = "pending", "report"


class Staged(BaseModel):
    """One decision. `about`: what it concerns, in words. `address`: the page about it."""

    model_config = ConfigDict(frozen=True)
    subject: str
    body: dict[str, Any]
    about: str = Field(max_length=600)
    address: str = Field(max_length=300)

    @classmethod
    def of(cls, command: Command, about: str, address: str) -> "Staged":
        """A decision to confirm."""
        return cls(subject=command.subject, body=command.model_dump(mode="json"), about=about[:600], address=address)

    @property
    def command(self) -> Command:
        """The command itself."""
        return BY_SUBJECT[self.subject].model_validate(self.body)

    @property
    def decision(self) -> Decision:
        """What the confirmation signs."""
        return Decision(act=self.subject, digest=digest_of(self.command))


class Pending(BaseModel):
    """Decisions that wait for one confirmation. `back`: the page before. `done`: the notice there when all are done."""

    model_config = ConfigDict(frozen=True)
    pending_id: UUID
    staged: tuple[Staged, ...] = Field(min_length=1, max_length=MAX_DECISIONS)
    back: str = Field(max_length=500)
    done: str = ""
    claimed_until: datetime | None = None

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What the confirmation signs, each once."""
        return tuple({each.decision: None for each in self.staged})


class Outcome(BaseModel):
    """What became of one decision. `refusal`: why it was refused. `answered`: False if nobody knows yet."""

    staged: Staged
    refusal: Refusal | None = None
    answered: bool = True

    @property
    def is_done(self) -> bool:
        """Whether it was done."""
        return self.answered and self.refusal is None


class Report(BaseModel):
    """What became of the decisions of one confirmation."""

    pending_id: UUID
    outcomes: tuple[Outcome, ...]
    back: str
    done: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether there was one decision, and it was done: then the page before says so."""
        return len(self.outcomes) == 1 and self.outcomes[0].is_done


class Confirmations:
    """The pending decisions of one browser, and its last report."""

    def __init__(self, browsers: Browsers, cookie: str) -> None:
        self._browsers = browsers
        self._cookie = cookie

    async def _change(self, change: Callable[[dict[str, Any]], T]) -> T:
        """Changes what the session keeps. Two requests of a browser do this one after the other. Raises LookupError."""
        answers: list[T] = []

        def changed(fresh: Browser) -> Browser:
            sealed = dict(fresh.sealed)
            answers.append(change(sealed))
            return replace(fresh, sealed=sealed)

        if await self._browsers.change(self._cookie, changed) is None:
            raise LookupError("the session is gone")
        return answers[-1]

    async def stage(self, pending: Pending) -> None:
        """Puts decisions before the person. They replace others. The same ones, done already, are not put again."""

        def change(sealed: dict[str, Any]) -> None:
            report = _report(sealed)
            if report is None or report.pending_id != pending.pending_id:
                sealed.pop(REPORT, None)
                sealed[PENDING] = pending.model_dump(mode="json")

        await self._change(change)

    async def present(self) -> tuple[Pending | None, Report | None]:
        """What waits for the confirmation, and the last report."""

        def read(sealed: dict[str, Any]) -> tuple[Pending | None, Report | None]:
            return _pending(sealed), _report(sealed)

        return await self._change(read)

    async def claim(self, pending_id: UUID, now: datetime) -> Pending | None:
        """Takes the decisions, for one request only. None if another request has them, or they are replaced or done."""

        def change(sealed: dict[str, Any]) -> Pending | None:
            pending = _pending(sealed)
            free = pending is not None and (pending.claimed_until is None or pending.claimed_until < now)
            if pending is None or not free or pending.pending_id != pending_id:
                return None
            sealed[PENDING] = pending.model_copy(update={"claimed_until": now + CLAIM}).model_dump(mode="json")
            return pending

        return await self._change(change)

    async def unclaim(self, pending_id: UUID) -> None:
        """The confirmation was refused: the person may try again."""

        def change(sealed: dict[str, Any]) -> None:
            pending = _pending(sealed)
            if pending is not None and pending.pending_id == pending_id:
                sealed[PENDING] = pending.model_copy(update={"claimed_until": None}).model_dump(mode="json")

        await self._change(change)

    async def drop(self) -> None:
        """The person does not confirm."""
        await self._change(lambda sealed: sealed.pop(PENDING, None))

    async def finish(self, report: Report) -> None:
        """The decisions are sent."""

        def change(sealed: dict[str, Any]) -> None:
            pending = _pending(sealed)
            if pending is not None and pending.pending_id == report.pending_id:
                del sealed[PENDING]
            sealed[REPORT] = report.model_dump(mode="json")

        await self._change(change)


def with_ids(commands: Sequence[tuple[Command, str, str]], pending_id: UUID) -> tuple[Staged, ...]:
    """The decisions with command ids that depend only on the form, so that a form that is sent twice acts once."""
    staged = []
    for number, (command, about, address) in enumerate(commands):
        same = command.model_copy(update={"command_id": uuid5(NAMESPACE_URL, f"{pending_id}:{number}")})
        staged.append(Staged.of(same, about, address))
    return tuple(staged)


async def send_all(pending: Pending, send: Callable[[Command], Awaitable[Any]]) -> Report:
    """Sends each decision, some at once. A refused one does not stop the others."""
    room = asyncio.Semaphore(AT_ONCE)

    async def outcome(staged: Staged) -> Outcome:
        async with room:
            try:
                await send(staged.command)
            except AskRefused as refused:
                return Outcome(staged=staged, refusal=refused.refusal)
            except (NobodyAnswers, TimeoutError, OSError):
                return Outcome(staged=staged, answered=False)
            return Outcome(staged=staged)

    outcomes = await asyncio.gather(*map(outcome, pending.staged))
    return Report(pending_id=pending.pending_id, outcomes=tuple(outcomes), back=pending.back, done=pending.done)


def _pending(sealed: dict[str, Any]) -> Pending | None:
    return Pending.model_validate(sealed[PENDING]) if PENDING in sealed else None


def _report(sealed: dict[str, Any]) -> Report | None:
    return Report.model_validate(sealed[REPORT]) if REPORT in sealed else None
