"""Tasks: slow or later work, stored in the same transaction as its cause."""

from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Task(BaseModel):
    """A unit of slow or later work. `kind` is stored: never rename it.

    `limit`: maximum seconds of one attempt. `every`: the period of a repeating task, which a replica enqueues at its start.
    The next run follows even if a run fails permanently.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    limit: ClassVar[float] = 45.0
    every: ClassVar[timedelta | None] = None

    @classmethod
    def period_of(cls, instant: datetime) -> datetime:
        """The start of the period that contains `instant`: midnight UTC for a daily task. Raises TypeError."""
        if cls.every is None:
            raise TypeError(f"{cls.__name__} does not repeat")
        day = instant.replace(hour=0, minute=0, second=0, microsecond=0)
        return day + (instant - day) // cls.every * cls.every
