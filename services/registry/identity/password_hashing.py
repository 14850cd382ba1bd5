"""Hashes passwords with argon2id (RFC 9106), in threads, so that the service is never blocked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.registry.identity.domain.password import normalised
from shared.handling.work import Work

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""The cost of one hash: two passes over 19 MiB of memory (OWASP, Password Storage). `docs/operations.md` has the measured
figures, and the reason why the cost is not higher."""
MAX_HASHES = 2
"""Simultaneous hashes of one replica. More would hold memory and wait for the processors."""
MAX_SIGN_INS = 4
"""Simultaneous sign-ins of one replica. The others wait and are not counted yet. Four keep the processors busy. They are few
compared with the free attempts of an address, because each counts as failed until it is decided."""


@dataclass(frozen=True)
class Verdict:
    """Whether a password is right. `better_hash` replaces the stored hash if the cost has changed since."""

    right: bool
    better_hash: str | None = None


class Passwords:
    """Hashes and verifies passwords. An unknown person takes as long as a known one."""

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=LANES)
        self._nobody = self._hasher.hash("nobody has this password")
        self._hashes = asyncio.Semaphore(MAX_HASHES)
        self._turns = asyncio.Semaphore(MAX_SIGN_INS)

    @asynccontextmanager
    async def turn(self, work: Work) -> AsyncIterator[None]:
        """Limits simultaneous sign-ins: waits for a turn, between two transactions."""
        async with AsyncExitStack() as turn:
            await work.between_transactions(turn.enter_async_context, self._turns)
            yield

    async def hash(self, password: str) -> str:
        """The hash to store."""
        async with self._hashes:
            return await asyncio.to_thread(self._hasher.hash, normalised(password))

    async def verify(self, password_hash: str | None, password: str) -> Verdict:
        """Whether the password is right. The password of an unknown person never is."""
        async with self._hashes:
            return await asyncio.to_thread(self._verify, password_hash, normalised(password))

    def _verify(self, password_hash: str | None, password: str) -> Verdict:
        try:
            self._hasher.verify(password_hash or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return Verdict(right=False)
        if password_hash is None:
            return Verdict(right=False)
        old = self._hasher.check_needs_rehash(password_hash)
        return Verdict(right=True, better_hash=self._hasher.hash(password) if old else None)
