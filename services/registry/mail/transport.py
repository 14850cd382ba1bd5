"""Sends e-mails, by a mail server or into a folder."""

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

TIMEOUT = 20.0
"""Seconds in which a mail server must answer."""


class EmailNotTaken(Refused):
    code = "letter_not_taken"


class AddressNotLatin(EmailNotTaken):
    variant = "address_not_latin"


@dataclass(frozen=True, kw_only=True)
class Email:
    """An e-mail to one person. `message_id` stays the same at each attempt, so that mail programs show the e-mail once."""

    message_id: str
    to: str
    subject: str
    text: str
    written_at: datetime

    def as_message(self, sender: str) -> EmailMessage:
        """The e-mail in the form of RFC 5322."""
        message = EmailMessage()
        message["Message-ID"] = f"<{self.message_id}@{sender.rpartition('@')[2]}>"
        message["From"] = sender
        message["To"] = self.to
        message["Subject"] = " ".join(self.subject.split())
        message["Date"] = format_datetime(self.written_at)
        message.set_content(self.text)
        return message


class Transport(Protocol):
    """A way to send e-mails."""

    async def send(self, email: Email) -> None:
        """Sends an e-mail. Raises Unavailable for a failure that may pass, EmailNotTaken for a permanent one."""


class Mailer:
    """Sends e-mails for handlers: `await work.between_transactions(work.use(Mailer).send, email)`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def send(self, email: Email) -> None:
        """Sends an e-mail. Raises Unavailable for a failure that may pass, EmailNotTaken for a permanent one."""
        await self._transport.send(email)


class MailFolder:
    """Writes e-mails as files into a folder, where there is no mail server."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, email: Email) -> None:
        """Writes the file. The same e-mail sent again overwrites it."""
        await asyncio.to_thread(self._write, email)

    def _write(self, email: Email) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{email.message_id}.eml").write_bytes(email.as_message(self._sender).as_bytes())


class SmtpServer:
    """Sends e-mails to `smtps://user@host:465` or `smtp://user@host:587`. Only a server on this machine may lack TLS."""

    def __init__(self, url: str, password: str | None, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("a mail server is smtp://HOST:PORT or smtps://HOST:PORT")
        self._host = parts.hostname
        self._implicit_tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._implicit_tls else 587)
        self._user = unquote(parts.username) if parts.username else None
        if self._user and not password:
            raise ValueError("a mail server with a user needs a password: name its file in CO_SMTP_PASSWORD_FILE")
        self._password = password
        self._sender = sender

    async def send(self, email: Email) -> None:
        """Sends an e-mail. Raises Unavailable for a failure that may pass, EmailNotTaken for a permanent one."""
        try:
            await aiosmtplib.send(
                email.as_message(self._sender),
                recipients=[email.to],
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password if self._user else None,
                use_tls=self._implicit_tls,
                start_tls=None if self._implicit_tls else not _is_this_machine(self._host),
                timeout=TIMEOUT,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _classified(error) from None  # the server's reply may contain the recipient's address


def _classified(error: Exception) -> Refused | Unavailable:
    """A permanent failure for this recipient, or one that may pass (RFC 5321, 4.2.1). An operator can fix a failed login."""
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return AddressNotLatin()
    replies = error.recipients if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else [error]
    codes = [reply.code for reply in replies if isinstance(reply, aiosmtplib.SMTPResponseException)]
    if codes and min(codes) >= 500 and not isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return EmailNotTaken(answer=min(codes))
    return Unavailable(f"The mail server accepts no e-mail now{f': it answered {codes[0]}' if codes else ''}.")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
