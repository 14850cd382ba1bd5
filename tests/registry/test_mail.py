"""E-mails reach the mail server, encrypted unless it is on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pydantic import ValidationError

from services.registry.mail.transport import Email, EmailNotTaken, Mailer, MailFolder, SmtpServer
from services.registry.settings import RegistrySettings, transport_of
from shared.refusals import Unavailable
from tests.support.ports import free_port

SENDER = "registry@ministry.example"


def an_email(**changes: Any) -> Email:
    defaults: dict[str, Any] = {
        "message_id": "registration-1-30",
        "to": "office@company.example",
        "subject": "ការចុះបញ្ជី ends",
        "text": "ជូនចំពោះក្រុមហ៊ុន\n\nTo the company\n",
        "written_at": datetime(2027, 10, 24, 1, 0, tzinfo=UTC),
    }
    return Email(**defaults | changes)


class Received:
    """Collects the e-mails that a mail server of this test takes."""

    def __init__(self, says: str = "250 taken") -> None:
        self.emails: list[Any] = []
        self.says = says
        self.greeted = 0

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]) -> list[str]:
        self.greeted += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.emails.append(message_from_bytes(envelope.content, policy=default))
        return self.says


@asynccontextmanager
async def a_mail_server(handler: Received, **options: Any) -> AsyncIterator[int]:
    port = free_port()
    server = Controller(handler, **{"hostname": "127.0.0.1", "port": port} | options)
    server.start()
    try:
        yield port
    finally:
        server.stop()


async def test_an_email_arrives_as_it_was_written() -> None:
    received = Received()
    async with a_mail_server(received) as port:
        await Mailer(SmtpServer(f"smtp://127.0.0.1:{port}", None, SENDER)).send(an_email())

    (email,) = received.emails
    assert (email["From"], email["To"], email["Subject"]) == (SENDER, an_email().to, an_email().subject)
    assert email["Message-ID"] == "<registration-1-30@ministry.example>"
    assert email["Date"].datetime == an_email().written_at
    assert email.get_content().replace("\r\n", "\n") == an_email().text


async def test_registry_signs_in_to_a_server_that_asks_for_it() -> None:
    received = Received()
    asked: list[tuple[bytes, bytes]] = []

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        asked.append((data.login, data.password))
        return AuthResult(success=data.password == b"secret", handled=False)  # the server answers itself: 235 or 535

    options = {"authenticator": check, "auth_required": True, "auth_require_tls": False}
    async with a_mail_server(received, **options) as port:
        await SmtpServer(f"smtp://registry@127.0.0.1:{port}", "secret", SENDER).send(an_email())
        with pytest.raises(Unavailable):
            await SmtpServer(f"smtp://registry@127.0.0.1:{port}", "wrong", SENDER).send(an_email())

    assert set(asked) == {(b"registry", b"secret"), (b"registry", b"wrong")}
    assert len(received.emails) == 1


@pytest.mark.parametrize(("says", "becomes"), [("451 later", Unavailable), ("554 never", EmailNotTaken)])
async def test_a_temporary_failure_is_retried_and_a_permanent_one_is_not(says: str, becomes: type[Exception]) -> None:
    async with a_mail_server(Received(says)) as port:
        with pytest.raises(becomes) as raised:
            await SmtpServer(f"smtp://127.0.0.1:{port}", None, SENDER).send(an_email())
    assert says[:3] in str(raised.value)
    assert an_email().to not in str(raised.value)


async def test_an_address_that_the_server_cannot_write_to_is_not_retried() -> None:
    async with a_mail_server(Received(), enable_SMTPUTF8=False) as port:
        with pytest.raises(EmailNotTaken, match="Latin letters"):
            await SmtpServer(f"smtp://127.0.0.1:{port}", None, SENDER).send(an_email(to="office@ក្រុម.example"))


async def test_an_unreachable_server_is_retried() -> None:
    port = free_port()
    with pytest.raises(Unavailable):
        await SmtpServer(f"smtp://127.0.0.1:{port}", None, SENDER).send(an_email())


async def test_no_email_is_sent_to_another_machine_without_encryption() -> None:
    received = Received()
    async with a_mail_server(received, hostname="0.0.0.0") as port:
        with pytest.raises(Unavailable):
            await SmtpServer(f"smtp://{gethostname()}:{port}", None, SENDER).send(an_email())
    assert received.greeted == 1
    assert received.emails == []


async def test_without_a_mail_server_each_email_is_one_file_in_a_folder(tmp_path: Path) -> None:
    mailer = Mailer(MailFolder(tmp_path / "mail", SENDER))
    await mailer.send(an_email())
    await mailer.send(an_email())
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == "registration-1-30.eml"


async def test_a_company_name_cannot_add_a_header(tmp_path: Path) -> None:
    await MailFolder(tmp_path, SENDER).send(an_email(subject="A company\nBcc: everybody@example.org"))
    email = message_from_bytes((tmp_path / "registration-1-30.eml").read_bytes(), policy=default)
    assert email["Bcc"] is None


def test_the_settings_name_a_mail_server_or_a_folder(tmp_path: Path) -> None:
    files = (
        "nats_seed_file",
        "event_keys_file",
        "token_key_file",
        "second_factor_key_file",
        "administrator_password_file",
        "smtp_password_file",
    )
    raised = dict.fromkeys(files, __file__)
    raised["database_url"] = "sqlite:///x"
    assert isinstance(transport_of(RegistrySettings(**raised, mail_dir=tmp_path)), MailFolder)
    assert isinstance(transport_of(RegistrySettings(**raised, smtp_url="smtps://r@mail.example")), SmtpServer)
    (tmp_path / "empty").touch()
    lacking = {"smtp_url": "smtps://r@mail.example", "smtp_password_file": tmp_path / "empty"}
    for wrong in ({}, {"smtp_url": "http://mail.example"}, lacking):
        with pytest.raises(ValidationError, match="mail server"):
            RegistrySettings(**raised | wrong)
