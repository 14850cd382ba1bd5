"""Tasks: slow or later work, stored in the same transaction as its cause."""

from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Task(BaseModel):
    """A unit of slow or later work. `kind` is stored: never rename it.

    `limit`: seconds that one attempt may take; then another replica takes over. `every`: the task repeats by itself, from the
    start of a replica on; the next run follows even if a run fails for good.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    limit: ClassVar[float] = 45.0
    every: ClassVar[timedelta | None] = None

    @classmethod
    def period_of(cls, instant: datetime) -> datetime:
        """The start of the period of a repeating task: midnight UTC where it repeats daily, the full minute each minute."""
        if cls.every is None:
            raise TypeError(f"{cls.__name__} does not repeat")
        day = instant.replace(hour=0, minute=0, second=0, microsecond=0)
        return day + (instant - day) // cls.every * cls.every
