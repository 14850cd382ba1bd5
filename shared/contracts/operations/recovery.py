"""Recovery of a service whose database was restored from a backup."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.fields import Key, Slug
from shared.contracts.messages import Answer, OperatorCommand, OperatorQuestion
from shared.contracts.operations.consistency import MAX_KEYS


class Recovery(Answer):
    """Whether the service is in recovery, because its database is older than its announced events.

    `read_back`: how many of its own events it has replayed; None until it has finished.
    """

    service: str
    recovering: bool
    because: str | None = None
    began_at: datetime | None = None
    copy_taken_at: datetime | None = None
    read_back: int | None = None
    compared_at: datetime | None = None


class AskRecovery(OperatorQuestion):
    """Is the service in recovery, and what must be done?"""

    subject: ClassVar[str] = "ops.{service}.ask-recovery.v1"
    answer: ClassVar[type[Answer]] = Recovery


class Learned(Answer):
    """The number of keys that were new."""

    learned: int


class LearnLostKeys(OperatorCommand):
    """Gives a service in recovery the keys of a fact that other services know and it has lost. There may be none."""

    subject: ClassVar[str] = "ops.{service}.learn-lost-keys.v1"
    answer: ClassVar[type[Answer]] = Learned
    while_recovering: ClassVar[bool] = True
    fact: Slug
    keys: Annotated[tuple[Key, ...], Field(max_length=MAX_KEYS)]


class ConfirmRecovery(OperatorCommand):
    """Ends the recovery: an operator has checked the losses, and the service may work again."""

    subject: ClassVar[str] = "ops.{service}.confirm-recovery.v1"
    answer: ClassVar[type[Answer]] = Recovery
    while_recovering: ClassVar[bool] = True
