"""Dead letters: events and tasks that failed permanently, stored with everything that a retry needs."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.database.tables import dead_letters
from shared.database.upserts import insert_new
from shared.observability.logs import without_values


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """An event (`name`: subject, `key`: event id) or a task (`name`: kind, `key`: key)."""

    kind: str
    name: str
    key: str
    body: bytes
    about: UUID | None = None
    traceparent: str | None = None


async def store_dead_letter(session: AsyncSession, letter: DeadLetter, error: Exception, now: datetime) -> None:
    """Stores a dead letter. The same event or task is stored once."""
    row = asdict(letter) | {"error": without_values(f"{type(error).__name__}: {error}")[:4000], "died_at": now}
    row = {column: _storable(value) if isinstance(value, str) else value for column, value in row.items()}
    row |= {"name": row["name"][:120], "key": row["key"][:120]}
    await insert_new(session, dead_letters, [row])


def _storable(text: str) -> str:
    """Replaces the characters that PostgreSQL cannot store."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
