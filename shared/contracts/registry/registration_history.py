"""The history of a registration: each act on it."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Instant, Sha256
from shared.contracts.messages import Answer, Contract, Question
from shared.contracts.registry.particulars import (
    DocumentKind,
)
from shared.contracts.roles import Role

MAX_ACTS = 100
"""Maximum acts of a history in one answer."""


class RegistrationAct(Contract):
    """One act on a registration. `version`: that of the registration after the act. An automatic act has no `user_id`."""

    version: int
    act: str
    at: Instant
    user_id: UUID | None = None
    organisation: str | None = None
    remarks: str | None = None
    document: DocumentKind | None = None
    sha256: Sha256 | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class RegistrationHistory(Answer):
    """Acts, latest first. `go_on_before`: the version to continue with; None if there are no older acts."""

    exporter_id: UUID
    acts: tuple[RegistrationAct, ...]
    go_on_before: int | None = None
    next: int | None = None


class GetRegistrationHistory(Question):
    """Which acts were done on this registration, and by which persons? `before`: only acts before this version."""

    subject: ClassVar[str] = "qry.registration-history.get.v1"
    answer: ClassVar[type[Answer]] = RegistrationHistory
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER, Role.ADMINISTRATOR, Role.AUDITOR})
    exporter_id: UUID
    before: Annotated[int, Field(ge=1)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ACTS)] = 50
