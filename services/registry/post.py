"""Letters to people, by e-mail."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from shared.refusals import Refused, Unavailable

PATIENCE = 20.0
"""Seconds in which a mail server must answer."""


class LetterNotTaken(Refused):
    code = "letter_not_taken"


class AddressNotLatin(LetterNotTaken):
    variant = "address_not_latin"


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
        message["From"], message["To"], message["Subject"] = sender, self.to, " ".join(self.subject.split())
        message["Date"] = format_datetime(self.written_at)
        message.set_content(self.text)
        return message


class Carrier(Protocol):
    """Who carries letters."""

    async def send(self, letter: Letter) -> None:
        """Hands a letter over. Raises Unavailable where it cannot be taken just now."""


class Post:
    """What handlers send letters with: `await work.outside(work.use(Post).send, letter)`."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def send(self, letter: Letter) -> None:
        """Hands a letter over. Raises Unavailable where it cannot be taken just now, LetterNotTaken where never."""
        await self._carrier.send(letter)


class PostOnDisk:
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


class MailServer:
    """Gives letters to a mail server: `smtps://user@host:465` or `smtp://user@host:587`, encrypted unless on this machine."""

    def __init__(self, url: str, password: str | None, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("a mail server is smtp://HOST:PORT or smtps://HOST:PORT")
        self._host = parts.hostname
        self._at_once_encrypted = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._at_once_encrypted else 587)
        self._user = unquote(parts.username) if parts.username else None
        if self._user and not password:
            raise ValueError("a mail server that is told a user is told a password too: name its file in CO_SMTP_PASSWORD_FILE")
        self._password = password
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        try:
            await aiosmtplib.send(
                letter.as_message(self._sender),
                recipients=[letter.to],
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password if self._user else None,
                use_tls=self._at_once_encrypted,
                start_tls=None if self._at_once_encrypted else not _is_this_machine(self._host),
                timeout=PATIENCE,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _seen_by(error) from None  # what the server said may name the person


def _seen_by(error: Exception) -> Refused | Unavailable:
    """Whether the letter may be taken later, or never: what a server says of us, an operator will mend (RFC 5321, 4.2.1)."""
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return AddressNotLatin()
    said = error.recipients if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else [error]
    codes = [each.code for each in said if isinstance(each, aiosmtplib.SMTPResponseException)]
    if codes and min(codes) >= 500 and not isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return LetterNotTaken(answer=min(codes))
    return Unavailable(f"The mail server takes no letters just now{f': it said {codes[0]}' if codes else ''}.")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
