"""Notices: what an office of the ministry tells the companies."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.fields import Office, Text
from shared.contracts.messages import Answer, Command, Event, Question
from shared.contracts.roles import Role


class NoticeState(Answer):
    """A notice as everyone reads it."""

    about: ClassVar[str] = "notice_id"
    notice_id: UUID
    office: Office
    text: Text


class PostNotice(Command):
    """An administrator posts a notice of an office."""

    subject: ClassVar[str] = "cmd.notice.post.v1"
    answer: ClassVar[type[Answer]] = NoticeState
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR})
    office: Office
    text: Text


class GetNotice(Question):
    """What does this notice say?"""

    subject: ClassVar[str] = "qry.notice.get.v1"
    answer: ClassVar[type[Answer]] = NoticeState
    about: ClassVar[str] = "notice_id"
    notice_id: UUID


class NoticePosted(Event):
    """An office has posted a notice. Its version stays 1: a notice never changes."""

    subject: ClassVar[str] = "evt.notice.posted.v1"
    about: ClassVar[str] = "notice_id"
    notice_id: UUID
    office: Office
    text: Text
