"""Tracking answers the public over HTTP and announces no events. An operator issues keys for the check of many certificates."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import StringConstraints

from shared.contracts.fields import Country, Line
from shared.contracts.messages import Answer, Contract, OperatorCommand, OperatorQuestion


class CheckKey(Contract):
    """The key of an authority abroad, without its secret. `withdrawn_at`: None while it is valid."""

    key_id: UUID
    authority: str
    country: str
    issued_at: datetime
    withdrawn_at: datetime | None = None


class CheckKeyIssued(Answer):
    """A new key. `key` is shown once: only its digest is stored."""

    about: ClassVar[str] = "key_id"
    about_noun: ClassVar[str] = "check_key"
    key_id: UUID
    key: str


class IssueCheckKey(OperatorCommand):
    """Issues a key with which an authority abroad checks many certificates at once."""

    subject: ClassVar[str] = "ops.tracking.issue-check-key.v1"
    answer: ClassVar[type[Answer]] = CheckKeyIssued
    secret: ClassVar[bool] = True
    authority: Annotated[Line, StringConstraints(max_length=120)]
    country: Country


class CheckKeyWithdrawn(Answer):
    """The withdrawn key."""

    key: CheckKey


class WithdrawCheckKey(OperatorCommand):
    """Withdraws a key: it opens nothing any more."""

    subject: ClassVar[str] = "ops.tracking.withdraw-check-key.v1"
    answer: ClassVar[type[Answer]] = CheckKeyWithdrawn
    about: ClassVar[str] = "key_id"
    about_noun: ClassVar[str] = "check_key"
    key_id: UUID


class CheckKeys(Answer):
    """All keys, the latest first, at most 1000."""

    keys: tuple[CheckKey, ...]


class ListCheckKeys(OperatorQuestion):
    """Which keys were issued, and which are withdrawn?"""

    subject: ClassVar[str] = "ops.tracking.list-check-keys.v1"
    answer: ClassVar[type[Answer]] = CheckKeys
