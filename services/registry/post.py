"""Letters to people, by e-mail."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path


@dataclass(frozen=True)
class Letter:
    """What is sent to one person. `letter_id` is the same however often it is tried, so that mail programs show it once."""

    letter_id: str
    to: str
    subject: str
    text: str
    written_at: datetime

    def as_message(self, sender: str) -> EmailMessage:
        """The letter in the form of RFC 5322."""
        message = EmailMessage()
        message["Message-ID"] = f"<{self.letter_id}@{sender.rpartition('@')[2]}>"
        message["From"], message["To"], message["Subject"] = sender, self.to, self.subject
        message["Date"] = format_datetime(self.written_at)
        message.set_content(self.text)
        return message


class Post:
    """Lays letters in a folder: what a run without a mail server has in its place."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        """Hands a letter over."""
        await asyncio.to_thread(self._write, letter)

    def _write(self, letter: Letter) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{letter.letter_id}.eml").write_bytes(letter.as_message(self._sender).as_bytes())
