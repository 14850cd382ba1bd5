"""How long one stays signed in, and how wrong passwords slow a guesser down. The figures are ours, with their reasons."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.refusals import Refused

TOKEN_LASTS = timedelta(minutes=15)
"""A stolen token is good for a quarter of an hour, also for a service that hears of nothing."""
DENIED_FOR = TOKEN_LASTS + timedelta(minutes=1)
"""How long a session that is over is kept on the deny list: its last token, and clocks that differ."""
OFFICER_STAYS, OFFICER_IDLE = timedelta(hours=12), timedelta(hours=2)
"""A working day with its overtime; and a machine that was left on over lunch."""
COMPANY_STAYS, COMPANY_IDLE = timedelta(days=30), timedelta(days=7)
"""A month; whoever does not come for a week signs in again."""
ANSWER_LOST_WITHIN = timedelta(seconds=30)
"""Within this a refresh token may be shown again by a client that never got the answer: see `docs/decisions/0013`."""

FREE_TRIES, FREE_TRIES_OF_ADDRESS = 5, 50
"""Wrong passwords before the first delay: of an account; and of an address, behind which a whole office may sit."""
FIRST_DELAY, LONGEST_DELAY = timedelta(minutes=1), timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(hours=24)
"""Wrong passwords count until nobody has tried for a day: of an account, or from an address."""


class SignInFailed(Refused):
    code = "sign_in_failed"


class SignInDelayed(Refused):
    code = "sign_in_delayed"


class SessionOver(Refused):
    code = "session_over"


class SessionNotFound(Refused):
    code = "session_not_found"


class LinkInvalid(Refused):
    code = "link_invalid"


@dataclass(eq=False)
class SessionRecord:
    """A session from sign-in to its end; its refresh tokens succeed each other."""

    session_id: UUID
    user_id: UUID
    opened_at: datetime
    refreshed_at: datetime
    until: datetime
    address: str | None = None
    ended_at: datetime | None = None

    def is_over(self, now: datetime, *, of_company: bool) -> bool:
        """Whether it has ended, has lasted its time, or was left alone for too long."""
        idle = COMPANY_IDLE if of_company else OFFICER_IDLE
        return self.ended_at is not None or now >= self.until or now >= self.refreshed_at + idle


def lasts_until(now: datetime, *, of_company: bool) -> datetime:
    """When a session that is opened now is over at the latest."""
    return now + (COMPANY_STAYS if of_company else OFFICER_STAYS)


def delay_after(failures: int, free: int = FREE_TRIES) -> timedelta:
    """How long the next try has to wait: not at all at first, then a minute, doubling to an hour."""
    if failures < free:
        return timedelta()
    return min(FIRST_DELAY * float(2 ** min(failures - free, 10)), LONGEST_DELAY)
