"""Recovery of a service whose database was restored from a backup."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.fields import Key, Slug
from shared.contracts.messages import Answer, OperatorCommand, OperatorQuestion
from shared.contracts.operations.consistency import MAX_KEYS


class Recovery(Answer):
    """Whether the service waits for its operators because its database is older than what it has announced.

    `read_back`: how many of its own events it has read back from the stream; None while it has not finished.
    """

    service: str
    recovering: bool
    because: str | None = None
    began_at: datetime | None = None
    copy_taken_at: datetime | None = None
    read_back: int | None = None
    compared_at: datetime | None = None


class AskRecovery(OperatorQuestion):
    """Do you wait for your operators, and for what?"""

    subject: ClassVar[str] = "ops.{service}.ask-recovery.v1"
    answer: ClassVar[type[Answer]] = Recovery


class Learned(Answer):
    """How many of the keys were new."""

    learned: int


class LearnLostKeys(OperatorCommand):
    """Tells a service in recovery of which keys others know a fact, and it does not; none, where there are none."""

    subject: ClassVar[str] = "ops.{service}.learn-lost-keys.v1"
    answer: ClassVar[type[Answer]] = Learned
    while_recovering: ClassVar[bool] = True
    fact: Slug
    keys: Annotated[tuple[Key, ...], Field(max_length=MAX_KEYS)]


class ConfirmRecovery(OperatorCommand):
    """An operator has seen what is lost: the service may work again."""

    subject: ClassVar[str] = "ops.{service}.confirm-recovery.v1"
    answer: ClassVar[type[Answer]] = Recovery
    while_recovering: ClassVar[bool] = True
