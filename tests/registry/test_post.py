"""Letters reach a mail server, once it is there; encrypted, unless it is on this machine."""

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

from services.registry.post import Letter, LetterNotTaken, MailServer, Post, PostOnDisk
from services.registry.settings import RegistrySettings, carrier_of
from shared.refusals import Unavailable
from tests.support.ports import free_port

SENDER = "registry@ministry.example"


def a_letter(**changes: Any) -> Letter:
    defaults: dict[str, Any] = {
        "letter_id": "registration-1-30",
        "to": "office@company.example",
        "subject": "ការចុះបញ្ជី ends",
        "text": "ជូនចំពោះក្រុមហ៊ុន\n\nTo the company\n",
        "written_at": datetime(2027, 10, 24, 1, 0, tzinfo=UTC),
    }
    return Letter(**defaults | changes)


class Received:
    """What a mail server of this test does with letters."""

    def __init__(self, says: str = "250 taken") -> None:
        self.letters: list[Any] = []
        self.says = says
        self.greeted = 0

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]) -> list[str]:
        self.greeted += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=default))
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


async def test_a_letter_arrives_as_it_was_written() -> None:
    received = Received()
    async with a_mail_server(received) as port:
        await Post(MailServer(f"smtp://127.0.0.1:{port}", None, SENDER)).send(a_letter())

    (letter,) = received.letters
    assert (letter["From"], letter["To"], letter["Subject"]) == (SENDER, a_letter().to, a_letter().subject)
    assert letter["Message-ID"] == "<registration-1-30@ministry.example>"
    assert letter["Date"].datetime == a_letter().written_at
    assert letter.get_content().replace("\r\n", "\n") == a_letter().text


async def test_registry_signs_in_where_the_server_asks_for_it() -> None:
    received = Received()
    asked: list[tuple[bytes, bytes]] = []

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        asked.append((data.login, data.password))
        return AuthResult(success=data.password == b"secret", handled=False)  # the server answers itself: 235 or 535

    options = {"authenticator": check, "auth_required": True, "auth_require_tls": False}
    async with a_mail_server(received, **options) as port:
        await MailServer(f"smtp://registry@127.0.0.1:{port}", "secret", SENDER).send(a_letter())
        with pytest.raises(Unavailable):
            await MailServer(f"smtp://registry@127.0.0.1:{port}", "wrong", SENDER).send(a_letter())

    assert set(asked) == {(b"registry", b"secret"), (b"registry", b"wrong")}
    assert len(received.letters) == 1


@pytest.mark.parametrize(("says", "becomes"), [("451 later", Unavailable), ("554 never", LetterNotTaken)])
async def test_what_the_server_says_for_now_is_tried_again_and_what_it_says_for_good_is_not(
    says: str, becomes: type[Exception]
) -> None:
    async with a_mail_server(Received(says)) as port:
        with pytest.raises(becomes) as told:
            await MailServer(f"smtp://127.0.0.1:{port}", None, SENDER).send(a_letter())
    assert says[:3] in str(told.value)
    assert a_letter().to not in str(told.value)


async def test_an_address_that_a_server_cannot_write_to_is_not_tried_for_ever() -> None:
    async with a_mail_server(Received(), enable_SMTPUTF8=False) as port:
        with pytest.raises(LetterNotTaken, match="Latin letters"):
            await MailServer(f"smtp://127.0.0.1:{port}", None, SENDER).send(a_letter(to="office@ក្រុម.example"))


async def test_a_server_that_is_away_is_waited_for() -> None:
    port = free_port()
    with pytest.raises(Unavailable):
        await MailServer(f"smtp://127.0.0.1:{port}", None, SENDER).send(a_letter())


async def test_nothing_is_said_to_a_server_of_a_name_that_does_not_encrypt() -> None:
    received = Received()
    async with a_mail_server(received, hostname="0.0.0.0") as port:
        with pytest.raises(Unavailable):
            await MailServer(f"smtp://{gethostname()}:{port}", None, SENDER).send(a_letter())
    assert received.greeted == 1
    assert received.letters == []


async def test_without_a_mail_server_letters_lie_in_a_folder_each_once(tmp_path: Path) -> None:
    post = Post(PostOnDisk(tmp_path / "mail", SENDER))
    await post.send(a_letter())
    await post.send(a_letter())
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == "registration-1-30.eml"


async def test_a_company_cannot_write_a_header_of_its_own(tmp_path: Path) -> None:
    await PostOnDisk(tmp_path, SENDER).send(a_letter(subject="A company\nBcc: everybody@example.org"))
    letter = message_from_bytes((tmp_path / "registration-1-30.eml").read_bytes(), policy=default)
    assert letter["Bcc"] is None


def test_registry_is_told_where_letters_go(tmp_path: Path) -> None:
    files = (
        "nats_seed_file",
        "event_keys_file",
        "token_key_file",
        "second_factor_key_file",
        "administrator_password_file",
        "smtp_password_file",
    )
    told = dict.fromkeys(files, __file__)
    told["database_url"] = "sqlite+aiosqlite:///x"
    assert isinstance(carrier_of(RegistrySettings(**told, mail_dir=tmp_path)), PostOnDisk)
    assert isinstance(carrier_of(RegistrySettings(**told, smtp_url="smtps://r@mail.example")), MailServer)
    (tmp_path / "empty").touch()
    lacking = {"smtp_url": "smtps://r@mail.example", "smtp_password_file": tmp_path / "empty"}
    for wrong in ({}, {"smtp_url": "http://mail.example"}, lacking):
        with pytest.raises(ValidationError, match="mail server"):
            RegistrySettings(**told | wrong)
