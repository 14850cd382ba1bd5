"""Tries to sign in, counted before the password is looked at, so that guesses made at the same time are all counted."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, delete, select, update

from services.registry.domain.session import FORGOTTEN_AFTER, FREE_TRIES, SignInDelayed, delay_after
from services.registry.store.tables import wrong_tries
from shared.database.upserts import upsert
from shared.handling.work import Work


@dataclass(frozen=True)
class Try:
    """A try that was counted; and until when it alone makes others wait, where it does."""

    whose: str
    not_before: datetime | None = None


def of_account(email: str) -> str:
    """Under what the tries for an account are counted, whether there is one or not."""
    return f"a:{hashlib.sha256(email.encode()).hexdigest()}"


def of_codes(email: str) -> str:
    """Under what the codes are counted that are shown, with the right password, while guessers make the account wait."""
    return f"c:{hashlib.sha256(email.encode()).hexdigest()}"


def of_person(user_id: UUID) -> str:
    """Under what the codes of somebody who is signed in are counted."""
    return f"s:{user_id}"


def of_address(address: str) -> str:
    """Under what the tries from an address are counted."""
    return f"n:{address}"


async def delayed_until(work: Work, whose: str) -> datetime | None:
    """Until when whoever tries has to wait; None where nobody has to."""
    until = await work.session.scalar(select(wrong_tries.c.not_before).where(wrong_tries.c.whose == whose))
    return until if until and until > work.now else None


async def count_try(work: Work, whose: str, free: int = FREE_TRIES) -> Try:
    """Counts a try as a wrong one until it is known to be right. Raises SignInDelayed, with the instant to come back.

    One statement raises the counter, unless it is too early; whoever tries at the same time waits for that row, and then finds
    the delay.
    """
    now = work.now
    fresh = upsert(work.session, wrong_tries).values(whose=whose, failures=1, last_at=now)
    long_ago = wrong_tries.c.last_at < now - FORGOTTEN_AFTER
    one_more = {"failures": case((long_ago, 1), else_=wrong_tries.c.failures + 1), "last_at": now}
    in_time = wrong_tries.c.not_before.is_(None) | (wrong_tries.c.not_before <= now)
    counted = fresh.on_conflict_do_update(index_elements=["whose"], set_=one_more, where=in_time)
    failures = await work.session.scalar(counted.returning(wrong_tries.c.failures))
    if failures is None:
        raise SignInDelayed("email", until=await delayed_until(work, whose) or now)
    delay = delay_after(failures, free)
    if not delay:
        return Try(whose)
    await work.session.execute(update(wrong_tries).where(wrong_tries.c.whose == whose).values(not_before=now + delay))
    return Try(whose, now + delay)


async def take_back(work: Work, right: Try) -> None:
    """A try turned out to be right: neither it nor the delay that it set counts any more. All others do."""
    tries = wrong_tries.c
    values = {
        "failures": tries.failures - 1,
        "not_before": case((tries.not_before == right.not_before, None), else_=tries.not_before),
    }
    await work.session.execute(update(wrong_tries).where(tries.whose == right.whose).values(values))


async def forget_tries(work: Work, *whose: str) -> None:
    """The person has shown who they are: these counts begin anew."""
    await work.session.execute(delete(wrong_tries).where(wrong_tries.c.whose.in_(whose)))


async def forget_old_tries(work: Work) -> None:
    """Forgets the counts to which nothing was added for a day."""
    await work.session.execute(delete(wrong_tries).where(wrong_tries.c.last_at < work.now - FORGOTTEN_AFTER))
