"""How long a session lasts. The figures are ours, with their reasons."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.refusals import Refused

TOKEN_LASTS = timedelta(minutes=15)
"""A stolen token works for 15 minutes at most, even in a service that misses the revocation."""
DENIED_FOR = TOKEN_LASTS + timedelta(minutes=1)
"""How long a revoked session stays on the deny list: the life of its last token, and a margin for clocks."""
OFFICER_LASTS, OFFICER_IDLE = timedelta(hours=12), timedelta(hours=2)
"""An officer's session ends after a working day, or after two hours without use."""
COMPANY_LASTS, COMPANY_IDLE = timedelta(days=30), timedelta(days=7)
"""A company's session ends after a month, or after a week without use."""
ANSWER_LOST_WITHIN = timedelta(seconds=30)
"""A client that lost the answer may show its refresh token again within this time: see `docs/decisions/0013`."""


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


@dataclass(eq=False, kw_only=True)
class SessionRecord:
    """A session from sign-in to its end."""

    session_id: UUID
    user_id: UUID
    opened_at: datetime
    refreshed_at: datetime
    until: datetime
    address: str | None = None
    ended_at: datetime | None = None

    def is_over(self, now: datetime, *, of_company: bool) -> bool:
        """Whether the session was ended, has expired, or was not used for too long."""
        idle = COMPANY_IDLE if of_company else OFFICER_IDLE
        return self.ended_at is not None or now >= self.until or now >= self.refreshed_at + idle


def expiry_of_session(now: datetime, *, of_company: bool) -> datetime:
    """When a session that is opened now expires."""
    return now + (COMPANY_LASTS if of_company else OFFICER_LASTS)


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """The state of a refresh token, the `number`-th of its session. `later_used`: whether a later one was used."""

    session_id: UUID
    number: int
    used_at: datetime | None
    void: bool
    later_used: bool

    def is_good(self, now: datetime) -> bool:
        """Whether the token gives the next pair of tokens. See `docs/decisions/0013`.

        An unused token does. So does one that was used a moment ago, if its answer was lost: no later token was used.
        """
        if self.void or self.later_used:
            return False
        return self.used_at is None or now - self.used_at <= ANSWER_LOST_WITHIN
