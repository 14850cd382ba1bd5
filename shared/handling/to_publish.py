"""The committed events of a replica that wait for its relay."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.database.claims import OUTBOX_CLAIM

MOST = 5_000
"""Events that wait in memory. Further ones are read from the outbox."""

OutboxRow = Mapping[str, Any]


class EventsToPublish:
    """Rows of the outbox that the relay of this replica publishes. The transaction that announces them also claims them."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self._waiting: deque[OutboxRow] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def claim(self, now: datetime) -> datetime | None:
        """Until when a claim of new rows lasts; None if too many wait."""
        return None if len(self._waiting) >= MOST else now + OUTBOX_CLAIM

    def add(self, rows: Sequence[OutboxRow]) -> None:
        """Adds committed rows, if they are claimed, and wakes the relay."""
        if rows:
            self._waiting.extend(row for row in rows if row["claimed_until"])
            self.arrived.set()

    def take(self, at_most: int, now: datetime) -> list[OutboxRow]:
        """The next rows whose claim lasts long enough. The others stay in the outbox and are found there."""
        rows: list[OutboxRow] = []
        while self._waiting and len(rows) < at_most:
            row = self._waiting.popleft()
            if now < row["claimed_until"] - OUTBOX_CLAIM / 2:
                rows.append(row)
        return rows
