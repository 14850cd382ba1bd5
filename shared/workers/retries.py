"""Which errors are retried, for how long, and after which delay."""

from shared.database.engine import is_transient
from shared.refusals import Refused, Unavailable

MAX_TRIES = 5
FIRST_DELAY = 0.2
MAX_DELAY = 60.0


class Unreadable(Exception):
    """A message that no contract describes; a retry cannot help."""


def delay_after(tries: int) -> float:
    """Seconds to wait after so many tries: 0.2 s, doubling to 60 s."""
    return float(min(FIRST_DELAY * 2 ** min(tries - 1, 20), MAX_DELAY))


def is_temporary(error: Exception) -> bool:
    """Whether something outside failed, which is retried however long it takes."""
    return isinstance(error, Unavailable) or is_transient(error)


def is_permanent(error: Exception, tries: int) -> bool:
    """Whether to give up: a refusal at once, a bug after five tries, a temporary error never."""
    return isinstance(error, Refused | Unreadable) or (tries >= MAX_TRIES and not is_temporary(error))
