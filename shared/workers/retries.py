"""The retry policy: which errors are retried, how often, and after which delay."""

from shared.database.engine import is_transient
from shared.refusals import Refused, Unavailable

MAX_ATTEMPTS = 5
FIRST_DELAY = 0.2
MAX_DELAY = 60.0


class Unreadable(Exception):
    """A message that matches no contract. A retry cannot help."""


def delay_after(attempts: int) -> float:
    """Seconds until the next attempt: 0.2 s after the first, doubling up to 60 s."""
    return float(min(FIRST_DELAY * 2 ** min(attempts - 1, 20), MAX_DELAY))


def is_temporary(error: Exception) -> bool:
    """Whether a dependency failed, so that the work is retried without limit."""
    return isinstance(error, Unavailable) or is_transient(error)


def is_permanent(error: Exception, failures: int) -> bool:
    """Whether to give up: after a refusal at once, after a bug at the fifth failure, after a temporary error never."""
    return isinstance(error, Refused | Unreadable) or (failures >= MAX_ATTEMPTS and not is_temporary(error))
