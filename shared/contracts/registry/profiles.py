"""A person's own account, and the names of people."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Language
from shared.contracts.messages import Answer, Command, Question
from shared.contracts.roles import Role


class NamedUsers(Answer):
    """The names of people, by id. Unknown ids are left out."""

    names: dict[UUID, str]


class NameUsers(Question):
    """What are the names of these people? Officers may ask for everybody, others for the people of their own company.

    Others learn of an officer only the office, as `Officer of PNH`.
    """

    subject: ClassVar[str] = "qry.users.name.v1"
    answer: ClassVar[type[Answer]] = NamedUsers
    under_mandate: ClassVar[bool] = True
    user_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=200)]


class ProfileState(Answer):
    """A person's own account. `language`: of notices and pages. `company_name`: of the company, or None for an officer."""

    user_id: UUID
    name: str
    email: str
    organisation: str
    company_name: str | None = None
    roles: tuple[Role, ...]
    language: Language
    has_second_factor: bool
    passkeys: int = 0
    must_have_second_factor: bool = False


class GetProfile(Question):
    """Who am I?"""

    subject: ClassVar[str] = "qry.profile.get.v1"
    answer: ClassVar[type[Answer]] = ProfileState
    while_enrolling: ClassVar[bool] = True


class ChooseLanguage(Command):
    """A person chooses the language of notices and pages."""

    subject: ClassVar[str] = "cmd.language.choose.v1"
    answer: ClassVar[type[Answer]] = ProfileState
    while_enrolling: ClassVar[bool] = True
    language: Language
