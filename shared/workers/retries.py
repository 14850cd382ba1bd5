"""What becomes of an event or a task that failed: tried again, later and later, or laid among the dead letters."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.database.engine import is_transient
from shared.observability.logs import without_values
from shared.refusals import Refused, Unavailable
from shared.database.tables import dead_letters
from shared.database.upserts import insert_new

MAX_TRIES = 5
FIRST_DELAY = 0.2
LONGEST_DELAY = 60.0


class Unreadable(Exception):
    """A message that no contract describes, however often it is read."""


@dataclass(frozen=True)
class DeadLetter:
    """An event (`name`: subject, `key`: event id) or a task (`name`: kind, `key`: key) with all it takes to try again."""

    kind: str
    name: str
    key: str
    body: bytes
    about: UUID | None = None
    traceparent: str | None = None


def delay_after(tries: int) -> float:
    """Seconds to wait after so many tries: 0.2 s, doubling to 60 s."""
    return float(min(FIRST_DELAY * 2 ** min(tries - 1, 20), LONGEST_DELAY))


def is_temporary(error: Exception) -> bool:
    """Whether something else is at fault and is waited for, however long it takes."""
    return isinstance(error, Unavailable) or is_transient(error)


def is_permanent(error: Exception, tries: int) -> bool:
    """Whether to give up: at once where a rule said no, after five tries of a bug, never while something is away."""
    return isinstance(error, Refused | Unreadable) or (tries >= MAX_TRIES and not is_temporary(error))


async def store_dead_letter(session: AsyncSession, dialect: str, letter: DeadLetter, error: Exception, now: datetime) -> None:
    """Lays a message or task among the dead letters; the same one twice is one letter."""
    row = asdict(letter) | {"error": without_values(f"{type(error).__name__}: {error}")[:4000], "died_at": now}
    row = {column: _storable(value) if isinstance(value, str) else value for column, value in row.items()}
    row |= {"name": row["name"][:120], "key": row["key"][:120]}
    await session.execute(insert_new(dialect, dead_letters, [row]))


def _storable(text: str) -> str:
    """The text without what a database cannot keep."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
