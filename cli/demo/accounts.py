"""What people hold themselves: a mailbox, a password, an authenticator; and how they stay signed in with them."""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from time import time
from typing import Any, Self, TypeGuard, TypeVar

import pyotp

from shared.bus.client import AskRefused, BusClient
from shared.contracts.messages import Command, Request
from shared.contracts.registry.identity import (
    Decision,
    GiveStepUp,
    OpenSession,
    RefreshSession,
    RevokeSession,
    RevokeSessions,
    Session,
    StepUp,
)
from shared.contracts.registry.second_factor import ConfirmSecondFactor, EnrolSecondFactor
from shared.security.step_up import MAX_DECISIONS, digest_of

T = TypeVar("T")

STEP = 30
LINK = re.compile(r"/(?P<purpose>invitation|reset)#(?P<token>[A-Za-z0-9_-]{43})")
SOON = timedelta(minutes=2)
"""How long before its end a token is refreshed."""
COMPANIONS = 0.05
"""Seconds for which a list of decisions waits for more of them."""
MOST_RENEWALS, LOOK_AGAIN = 100, 0.3
"""How often people try again where even a fresh token is refused, and after how many seconds."""
SIGNED_OUT = {"token_expired", "token_invalid", "session_over"}
WRONG_CODE = "second_factor_wrong"
"""Also where the answer was lost and the code is used up, or a clock is wrong."""
STEPPED_DOWN = {"step_up_required", "step_up_expired", "step_up_used", "step_up_invalid", WRONG_CODE}
MOST_CODES = 4
"""How many codes somebody shows for one thing: one less than the tries that are free."""


@dataclass(frozen=True)
class Mailbox:
    """The letters that a run without a mail server lays in a folder."""

    folder: Path

    def link(self, to: str, purpose: str) -> str | None:
        """What stands in the link of the last letter to somebody, if one has come."""
        if not self.folder.is_dir():
            return None
        for file in sorted(self.folder.glob(f"{purpose}-*.eml"), key=os.path.getmtime, reverse=True):
            letter = message_from_bytes(file.read_bytes(), policy=default)
            found = LINK.search(letter.get_content()) if letter["To"] == to else None
            if found:
                return found["token"]
        return None


class Authenticator:
    """An authenticator in software. It shows no code twice, and may be half a minute ahead or behind, as RFC 6238 allows.

    `file`: where it keeps its secret from one run to the next.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._last = 0
        self._turn = asyncio.Lock()
        self._secret = file.read_text().strip() if file and file.exists() else None

    @property
    def set_up(self) -> bool:
        """Whether it holds a secret."""
        return self._secret is not None

    def take(self, otpauth: str) -> None:
        """Takes the secret from what an authenticator reads from a picture."""
        self._secret = pyotp.parse_uri(otpauth).secret
        if self._file:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
            self._file.write_text(self._secret)

    def soonest(self) -> float:
        """In how many seconds it has a code that it has not shown."""
        return max(0.0, (self._last - int(time()) // STEP) * STEP - time() % STEP)

    async def code(self) -> str:
        """A code that it has not shown before; waits for one if need be."""
        if self._secret is None:
            raise ValueError("this authenticator was never set up")
        async with self._turn:
            await asyncio.sleep(self.soonest())
            self._last = max(self._last + 1, int(time()) // STEP - 1)
            return pyotp.TOTP(self._secret).generate_otp(self._last)


@dataclass
class Account:
    """What somebody signs in with."""

    email: str
    password: str
    authenticator: Authenticator = field(default_factory=Authenticator)


class Presence:
    """Somebody's being signed in: it refreshes itself, signs in again where it is over, and confirms what binds the state."""

    def __init__(self, asker: BusClient, account: Account, session: Session) -> None:
        self.account = account
        self.session = session
        self._asker = asker
        self._left = False
        self._renewing = asyncio.Lock()
        self._waiting: list[tuple[Command, asyncio.Future[str]]] = []
        self._confirming: asyncio.Task[None] | None = None

    @classmethod
    async def begin(cls, asker: BusClient, account: Account) -> Self:
        """Signs in; an officer who has no second factor yet sets one up first."""
        presence = cls(asker, account, await cls._sign_in(asker, account))
        if presence.session.enrolling:
            await presence._enrol()
        return presence

    async def token(self) -> str:
        """A token that is good for a while."""
        async with self._renewing:
            if datetime.now(UTC) > self.session.expires_at - SOON and not self._left:
                await self._renew()
        return self.session.token

    async def renewed(self, refused: str) -> str:
        """Another token than one that was refused."""
        async with self._renewing:
            if self.session.token == refused:
                await self._renew()
        return self.session.token

    async def ask(self, request: Request, asker: BusClient | None = None, codes: int = MOST_CODES) -> Any:
        """Asks as this person, who shows at most so many codes to confirm it. Raises AskRefused."""
        asker, renewed = asker or self._asker, 0
        while True:
            token = await self.token()
            try:
                step_up = await self.step_up(request, codes=1) if is_to_be_confirmed(request) else None
                answer = await asker.ask(request, token=token, step_up=step_up)
            except AskRefused as refused:
                code = refused.refusal.code
                if code in SIGNED_OUT and not self._left and renewed < MOST_RENEWALS:
                    renewed += 1
                    await self.renewed(token)  # where that is refused too, a clock is wrong somewhere, for the time being
                elif code not in STEPPED_DOWN or not is_to_be_confirmed(request):
                    raise
                await asyncio.sleep(LOOK_AGAIN)
                codes -= is_to_be_confirmed(request)
                if codes == 0:
                    raise
            else:
                self._left = self._left or isinstance(request, RevokeSession | RevokeSessions)
                return answer

    async def step_up(self, command: Command, codes: int = MOST_CODES) -> str:
        """The confirmation of this command, with whatever else waits to be confirmed: one code serves them all."""
        while True:
            given: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self._waiting.append((command, given))
            if self._confirming is None or self._confirming.done():
                self._confirming = asyncio.create_task(self._confirm())
            try:
                return await given
            except AskRefused as refused:
                codes -= 1
                if refused.refusal.code != WRONG_CODE or codes == 0:
                    raise

    def busy_for(self) -> tuple[float, int]:
        """In how many seconds this person can confirm something; of equals, whoever has a list begun comes first."""
        return self.account.authenticator.soonest(), -len(self._waiting)

    async def _confirm(self) -> None:
        while self._waiting:
            await asyncio.sleep(COMPANIONS)
            together, self._waiting = self._waiting[:MAX_DECISIONS], self._waiting[MAX_DECISIONS:]
            try:
                given = await self._give_step_up(together, await self.account.authenticator.code())
            except Exception as error:
                for _, waits in together:
                    if not waits.done():
                        waits.set_exception(error)
            else:
                for _, waits in together:
                    if not waits.done():
                        waits.set_result(given.token)

    async def _give_step_up(self, together: list[tuple[Command, asyncio.Future[str]]], code: str) -> StepUp:
        decided = {(command.subject, digest_of(command)) for command, _ in together}
        decisions = tuple(Decision(act=act, digest=digest) for act, digest in decided)
        confirmation, token = GiveStepUp(code=code, decisions=decisions), await self.token()
        given: StepUp
        try:
            given = await self._asker.ask(confirmation, token=token)
        except AskRefused as refused:
            if refused.refusal.code not in SIGNED_OUT or self._left:
                raise
            given = await self._asker.ask(confirmation, token=await self.renewed(token))  # nobody has looked at the code
        return given

    async def _renew(self) -> None:
        if self.session.refresh_token:
            try:
                answer = await self._asker.ask(RefreshSession(refresh_token=self.session.refresh_token))
            except AskRefused:
                answer = None
            if answer and answer.session:
                self.session = answer.session
                return
        self.session = await self._sign_in(self._asker, self.account)

    @staticmethod
    async def _sign_in(asker: BusClient, account: Account) -> Session:
        """Signs in, with a code where there is an authenticator."""

        async def sign_in(code: str | None = None) -> Session:
            session: Session = await asker.ask(OpenSession(email=account.email, password=account.password, code=code))
            return session

        return await (with_next_code(account.authenticator, sign_in) if account.authenticator.set_up else sign_in())

    async def _enrol(self) -> None:
        """Sets up the authenticator, confirms it by its first code, and goes on with all roles."""
        token = self.session.token
        offer = await self._asker.ask(EnrolSecondFactor(password=self.account.password), token=token)
        self.account.authenticator.take(offer.otpauth)
        await with_next_code(
            self.account.authenticator, lambda code: self._asker.ask(ConfirmSecondFactor(code=code), token=token)
        )
        await self._renew()


def is_to_be_confirmed(request: Request) -> TypeGuard[Command]:
    """Whether it binds the state, so that whoever asks it shows a code."""
    return isinstance(request, Command) and request.step_up


async def with_next_code(authenticator: Authenticator, show: Callable[[str], Awaitable[T]]) -> T:
    """Shows a code; where the answer was lost and the code is used up, or a clock is wrong, the next. Raises AskRefused."""
    for _ in range(MOST_CODES - 1):
        try:
            return await show(await authenticator.code())
        except AskRefused as refused:
            if refused.refusal.code != WRONG_CODE:
                raise
    return await show(await authenticator.code())
