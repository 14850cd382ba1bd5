"""The messages that an exporter and the officers of an office write about a certificate."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.refusals import Refused

MAX_MESSAGES = 500
"""Messages of one certificate."""


class TooManyMessages(Refused):
    code = "too_many_messages"


class MessageIdTaken(Refused):
    code = "message_id_taken"


class Side(StrEnum):
    """The two sides of a message thread."""

    EXPORTER = "exporter"
    MINISTRY = "ministry"


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message about a certificate. `number`: counts the messages of the certificate from 1."""

    message_id: UUID
    certificate_id: UUID
    number: int
    side: Side
    user_id: UUID
    at: datetime
    text: str

    def must_fit(self) -> None:
        """Refuses a message that is one too many. Raises TooManyMessages."""
        if self.number > MAX_MESSAGES:
            raise TooManyMessages(limit=MAX_MESSAGES)

    def must_repeat(self, certificate_id: UUID, user_id: UUID, text: str) -> None:
        """Refuses another message with the same id. Raises MessageIdTaken."""
        if (self.certificate_id, self.user_id, self.text) != (certificate_id, user_id, text):
            raise MessageIdTaken("message_id")
