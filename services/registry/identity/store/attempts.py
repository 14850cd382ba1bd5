"""The counters of failed attempts to sign in. They are raised before the password is checked, so that all guesses count."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, delete, select, update

from services.registry.identity.domain.attempts import (
    EFFECTS,
    FORGOTTEN_AFTER,
    FREE,
    FREE_ATTEMPTS,
    Counter,
    Effect,
    Outcome,
    delay_after,
)
from services.registry.identity.domain.session import SignInDelayed
from services.registry.identity.tables import failed_attempts
from shared.database.upserts import dialect_of, upsert
from shared.handling.work import Work
from shared.operations.retention import delete_oldest


@dataclass(frozen=True)
class Attempt:
    """An attempt that was counted, and the end of the delay that it set."""

    whose: str
    not_before: datetime | None = None


def of_account(email: str) -> str:
    """The key of an account's counter. There is one for unknown accounts too."""
    return f"a:{hashlib.sha256(email.encode()).hexdigest()}"


def of_codes(email: str) -> str:
    """The key of the counter of codes that are shown, with the right password, while the account is delayed."""
    return f"c:{hashlib.sha256(email.encode()).hexdigest()}"


def of_person(user_id: UUID) -> str:
    """The key of the counter of codes that a signed-in person shows."""
    return f"s:{user_id}"


def of_address(address: str) -> str:
    """The key of an address's counter."""
    return f"n:{address}"


async def delayed_until(work: Work, whose: str) -> datetime | None:
    """The end of the present delay, or None."""
    until = await work.session.scalar(select(failed_attempts.c.not_before).where(failed_attempts.c.whose == whose))
    return until if until and until > work.now else None


async def count_attempt(work: Work, whose: str, free: int = FREE_ATTEMPTS) -> Attempt:
    """Counts an attempt as failed. Raises SignInDelayed during a delay.

    One statement raises the counter. A simultaneous attempt waits for that row, and then sees the new count and delay.
    """
    now = work.now
    first = upsert(dialect_of(work.session), failed_attempts).values(whose=whose, failures=1, last_at=now)
    long_ago = failed_attempts.c.last_at < now - FORGOTTEN_AFTER
    one_more = {"failures": case((long_ago, 1), else_=failed_attempts.c.failures + 1), "last_at": now}
    not_delayed = failed_attempts.c.not_before.is_(None) | (failed_attempts.c.not_before <= now)
    counted = first.on_conflict_do_update(index_elements=["whose"], set_=one_more, where=not_delayed)
    failures = await work.session.scalar(counted.returning(failed_attempts.c.failures))
    if failures is None:
        raise SignInDelayed("email", until=await delayed_until(work, whose) or now)
    delay = delay_after(failures, free)
    if not delay:
        return Attempt(whose)
    delayed = update(failed_attempts).where(failed_attempts.c.whose == whose)
    await work.session.execute(delayed.values(not_before=now + delay))
    return Attempt(whose, now + delay)


class SignInCounters:
    """The counters of one attempt to sign in. There is no counter of an address where none is known."""

    def __init__(self, email: str, address: str | None) -> None:
        self._keys = {Counter.ACCOUNT: of_account(email), Counter.CODES: of_codes(email)}
        if address:
            self._keys[Counter.ADDRESS] = of_address(address)
        self._counted: dict[Counter, Attempt] = {}

    async def count(self, work: Work, *counters: Counter) -> None:
        """Raises these counters. Raises SignInDelayed during a delay."""
        for counter in counters:
            if counter in self._keys:
                self._counted[counter] = await count_attempt(work, self._keys[counter], FREE[counter])

    async def account_delayed_until(self, work: Work) -> datetime | None:
        """The end of the present delay of the account, or None."""
        return await delayed_until(work, self._keys[Counter.ACCOUNT])

    async def settle(self, work: Work, outcome: Outcome) -> None:
        """Does to the counters what the outcome of the attempt demands, the address first, as when they were raised."""
        effects = EFFECTS[outcome]
        for counter in (counter for counter, effect in effects.items() if effect is Effect.FORGIVE):
            if counter in self._counted:
                await forgive_attempt(work, self._counted[counter])
        cleared = [self._keys[counter] for counter, effect in effects.items() if effect is Effect.CLEAR]
        if cleared:
            await clear_attempts(work, *cleared)


async def forgive_attempt(work: Work, attempt: Attempt) -> None:
    """Undoes the count and the delay of one attempt that was right. All other attempts still count."""
    counter = failed_attempts.c
    values = {
        "failures": counter.failures - 1,
        "not_before": case((counter.not_before == attempt.not_before, None), else_=counter.not_before),
    }
    await work.session.execute(update(failed_attempts).where(counter.whose == attempt.whose).values(values))


async def clear_attempts(work: Work, *whose: str) -> None:
    """These counters start again at zero."""
    await work.session.execute(delete(failed_attempts).where(failed_attempts.c.whose.in_(whose)))


async def delete_old_attempts(work: Work) -> bool:
    """Deletes counters without an attempt for a day. Returns whether there may be more."""
    return await delete_oldest(work, failed_attempts, failed_attempts.c.last_at, work.now - FORGOTTEN_AFTER)
