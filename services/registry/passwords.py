"""Passwords are kept as argon2id hashes (RFC 9106); hashing never blocks the service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.registry.domain.password import normalised
from shared.handling.work import Work

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""What one guess costs: 19 MiB of memory, twice over (OWASP, Password Storage). `docs/operations.md` has the figures that were
measured, and why it is not more."""
AT_ONCE = 2
"""Passwords that one replica hashes side by side: more would only wait for the processors, and hold memory meanwhile."""
TURNS = 4
"""Sign-ins that one replica has under way side by side; the others wait and are not counted yet. Enough to keep the processors
busy, and few beside the free tries of an address, because each counts as a wrong one until it is decided."""


@dataclass(frozen=True)
class Verdict:
    """Whether a password is right; and the hash to keep from now on, where the cost has changed since."""

    right: bool
    better_hash: str | None = None


class Passwords:
    """Hashes and verifies passwords, in threads, and takes as long for an unknown person as for a known one."""

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=LANES)
        self._nobody = self._hasher.hash("nobody has this password")
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._turns = asyncio.Semaphore(TURNS)

    @asynccontextmanager
    async def turn(self, work: Work) -> AsyncIterator[None]:
        """Around one sign-in: waits, between two transactions, until few others are under way."""
        async with AsyncExitStack() as turn:
            await work.between_transactions(turn.enter_async_context, self._turns)
            yield

    async def hash(self, password: str) -> str:
        """The hash to keep."""
        async with self._at_once:
            return await asyncio.to_thread(self._hasher.hash, normalised(password))

    async def verify(self, password_hash: str | None, password: str) -> Verdict:
        """Whether the password is right; an unknown person's never is."""
        async with self._at_once:
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
