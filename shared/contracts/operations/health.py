"""Health and backlog of a service."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.messages import Answer, OperatorQuestion


class Health(Answer):
    """Whether a service can do its work, and what stands in its way."""

    service: str
    ready: bool
    problems: tuple[str, ...] = ()
    started_at: datetime


class AskHealth(OperatorQuestion):
    """Is the service well?"""

    subject: ClassVar[str] = "ops.{service}.ask-health.v1"
    answer: ClassVar[type[Answer]] = Health


class Lag(Answer):
    """What waits in a service: counts, and the age in seconds of the oldest."""

    service: str
    events_waiting: int
    events_handed_over: int
    outbox_waiting: int
    outbox_oldest_seconds: float
    tasks_waiting: int
    tasks_oldest_seconds: float
    tasks_failing: int
    dead_letters: int


class AskLag(OperatorQuestion):
    """What waits in the service, and for how long?"""

    subject: ClassVar[str] = "ops.{service}.ask-lag.v1"
    answer: ClassVar[type[Answer]] = Lag
