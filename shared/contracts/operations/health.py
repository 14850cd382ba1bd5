"""Health and backlog of a service."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.messages import Answer, OperatorQuestion


class Health(Answer):
    """Whether a replica of a service works, and its problems as sentences."""

    service: str
    ready: bool
    problems: tuple[str, ...] = ()
    started_at: datetime


class AskHealth(OperatorQuestion):
    """Does the service work?"""

    subject: ClassVar[str] = "ops.{service}.ask-health.v1"
    answer: ClassVar[type[Answer]] = Health


class Lag(Answer):
    """The backlog of a service: counts, and the age of the oldest row in seconds.

    `events_handed_over`: delivered and not acknowledged yet.
    """

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
    """What is the backlog of the service?"""

    subject: ClassVar[str] = "ops.{service}.ask-lag.v1"
    answer: ClassVar[type[Answer]] = Lag
