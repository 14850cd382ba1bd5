"""What users of the demo have: a mailbox, a password, an authenticator; and a client that keeps them signed in."""

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

TOTP_STEP = 30
LINK = re.compile(r"/(?P<purpose>invitation|reset)#(?P<token>[A-Za-z0-9_-]{43})")
REFRESH_AHEAD = timedelta(minutes=2)
"""A token is refreshed this long before it expires."""
COLLECT_SECONDS = 0.05
"""A list of decisions is confirmed after these seconds, so that one code confirms several."""
MAX_RENEWALS, RETRY_SECONDS = 100, 0.3
"""The number of retries while even a new token is refused, and the pause between them."""
SIGNED_OUT = {"token_expired", "token_invalid", "session_over"}
CODE_REFUSED = {"second_factor_wrong", "second_factor_used"}
"""The codes of a refused code. A right one is refused too if its first answer was lost, or if a clock is wrong."""
STEP_UP_REFUSED = {"step_up_required", "step_up_expired", "step_up_used", "step_up_invalid"} | CODE_REFUSED
MAX_CODES = 4
"""The number of codes tried for one purpose: one less than the attempts that cause no delay."""


@dataclass(frozen=True)
class Mailbox:
    """The folder of emails of a run without a mail server."""

    folder: Path

    def link(self, to: str, purpose: str) -> str | None:
        """The token in the link of the last email to an address, or None if there is none."""
        if not self.folder.is_dir():
            return None
        for file in sorted(self.folder.glob(f"{purpose}-*.eml"), key=os.path.getmtime, reverse=True):
            email = message_from_bytes(file.read_bytes(), policy=default)
            found = LINK.search(email.get_content()) if email["To"] == to else None
            if found:
                return found["token"]
        return None


class Authenticator:
    """A TOTP authenticator. It never returns a code twice and may use the next or former time step, as RFC 6238 allows.

    `file`: where it stores its secret between runs.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._last = 0
        self._lock = asyncio.Lock()
        self._secret = file.read_text().strip() if file and file.exists() else None

    @property
    def set_up(self) -> bool:
        """Whether it has a secret."""
        return self._secret is not None

    def set_secret(self, otpauth: str) -> None:
        """Stores the secret of an `otpauth:` address, the content of the QR code."""
        self._secret = pyotp.parse_uri(otpauth).secret
        if self._file:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
            self._file.write_text(self._secret)

    def seconds_until_code(self) -> float:
        """The seconds until the next unused code."""
        return max(0.0, (self._last - int(time()) // TOTP_STEP) * TOTP_STEP - time() % TOTP_STEP)

    async def code(self) -> str:
        """The next unused code; waits for it if necessary. Raises ValueError without a secret."""
        if self._secret is None:
            raise ValueError("this authenticator has no secret")
        async with self._lock:
            await asyncio.sleep(self.seconds_until_code())
            self._last = max(self._last + 1, int(time()) // TOTP_STEP - 1)
            return pyotp.TOTP(self._secret).generate_otp(self._last)


@dataclass
class Account:
    """The credentials of a user."""

    email: str
    password: str
    authenticator: Authenticator = field(default_factory=Authenticator)


class AccountClient:
    """Sends requests for a signed-in user. It refreshes tokens, signs in again and confirms commands that need a step-up."""

    def __init__(self, bus: BusClient, account: Account, session: Session) -> None:
        self.account = account
        self.session = session
        self._bus = bus
        self._signed_out = False
        self._waiting = 0
        self._renewing = asyncio.Lock()
        self._pending: list[tuple[Command, asyncio.Future[str]]] = []
        self._confirming: asyncio.Task[None] | None = None

    @classmethod
    async def begin(cls, bus: BusClient, account: Account) -> Self:
        """Signs in. An officer without a second factor sets one up first. Raises AskRefused."""
        client = cls(bus, account, await cls._sign_in(bus, account))
        if client.session.enrolling:
            await client._enrol()
        return client

    async def token(self) -> str:
        """A token that is valid for at least two minutes."""
        async with self._renewing:
            if datetime.now(UTC) > self.session.expires_at - REFRESH_AHEAD and not self._signed_out:
                await self._renew()
        return self.session.token

    async def renewed(self, refused: str) -> str:
        """A new token in place of a refused one."""
        async with self._renewing:
            if self.session.token == refused:
                await self._renew()
        return self.session.token

    async def ask(self, request: Request, bus: BusClient | None = None, codes: int = MAX_CODES) -> Any:
        """Sends a request as this user, with at most `codes` codes to confirm it. Raises AskRefused."""
        bus, renewed = bus or self._bus, 0
        while True:
            token = await self.token()
            try:
                step_up = await self.step_up(request, codes=1) if needs_step_up(request) else None
                answer = await bus.ask(request, token=token, step_up=step_up)
            except AskRefused as refused:
                code = refused.refusal.code
                if code in SIGNED_OUT and not self._signed_out and renewed < MAX_RENEWALS:
                    renewed += 1
                    await self.renewed(token)  # if it is refused too, a clock is wrong for a while
                elif code not in STEP_UP_REFUSED or not needs_step_up(request):
                    raise
                await asyncio.sleep(RETRY_SECONDS)
                codes -= needs_step_up(request)
                if codes == 0:
                    raise
            else:
                self._signed_out = self._signed_out or isinstance(request, RevokeSession | RevokeSessions)
                return answer

    async def step_up(self, command: Command, codes: int = MAX_CODES) -> str:
        """The step-up token for a command. One code confirms it together with all other pending commands. Raises AskRefused."""
        while True:
            given: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self._pending.append((command, given))
            if self._confirming is None or self._confirming.done():
                self._confirming = asyncio.create_task(self._confirm())
            self._waiting += 1
            try:
                return await given
            except AskRefused as refused:
                codes -= 1
                if refused.refusal.code not in CODE_REFUSED or codes == 0:
                    raise
            finally:
                self._waiting -= 1

    def confirmation_order(self) -> tuple[float, int]:
        """A sort key: the seconds until this user can confirm a command, then the more waiting commands first.

        A code confirms one list, so each full list that waits costs one more code.
        """
        full_lists = self._waiting // MAX_DECISIONS
        return self.account.authenticator.seconds_until_code() + full_lists * TOTP_STEP, -self._waiting

    async def _confirm(self) -> None:
        while self._pending:
            await asyncio.sleep(COLLECT_SECONDS)
            batch, self._pending = self._pending[:MAX_DECISIONS], self._pending[MAX_DECISIONS:]
            try:
                given = await self._give_step_up(batch, await self.account.authenticator.code())
            except Exception as error:
                for _, result in batch:
                    if not result.done():
                        result.set_exception(error)
            else:
                for _, result in batch:
                    if not result.done():
                        result.set_result(given.token)

    async def _give_step_up(self, batch: list[tuple[Command, asyncio.Future[str]]], code: str) -> StepUp:
        decided = {(command.subject, digest_of(command)) for command, _ in batch}
        decisions = tuple(Decision(act=act, digest=digest) for act, digest in decided)
        confirmation, token = GiveStepUp(code=code, decisions=decisions), await self.token()
        given: StepUp
        try:
            given = await self._bus.ask(confirmation, token=token)
        except AskRefused as refused:
            if refused.refusal.code not in SIGNED_OUT or self._signed_out:
                raise
            given = await self._bus.ask(confirmation, token=await self.renewed(token))  # the code was not checked
        return given

    async def _renew(self) -> None:
        if self.session.refresh_token:
            try:
                answer = await self._bus.ask(RefreshSession(refresh_token=self.session.refresh_token))
            except AskRefused:
                answer = None
            if answer and answer.session:
                self.session = answer.session
                return
        self.session = await self._sign_in(self._bus, self.account)

    @staticmethod
    async def _sign_in(bus: BusClient, account: Account) -> Session:
        """Signs in, with a code if the authenticator has a secret."""

        async def sign_in(code: str | None = None) -> Session:
            session: Session = await bus.ask(OpenSession(email=account.email, password=account.password, code=code))
            return session

        return await (with_next_code(account.authenticator, sign_in) if account.authenticator.set_up else sign_in())

    async def _enrol(self) -> None:
        """Sets up the authenticator, confirms it with the first code, and gets a session with all roles."""
        token = self.session.token
        offer = await self._bus.ask(EnrolSecondFactor(password=self.account.password), token=token)
        self.account.authenticator.set_secret(offer.otpauth)
        await with_next_code(
            self.account.authenticator, lambda code: self._bus.ask(ConfirmSecondFactor(code=code), token=token)
        )
        await self._renew()


def needs_step_up(request: Request) -> TypeGuard[Command]:
    """Whether the request is a command that must be confirmed with a code."""
    return isinstance(request, Command) and request.step_up


async def with_next_code(authenticator: Authenticator, use: Callable[[str], Awaitable[T]]) -> T:
    """Calls `use` with a code, and with the next one while a code is refused as wrong. Raises AskRefused."""
    for _ in range(MAX_CODES - 1):
        try:
            return await use(await authenticator.code())
        except AskRefused as refused:
            if refused.refusal.code not in CODE_REFUSED:
                raise
    return await use(await authenticator.code())
