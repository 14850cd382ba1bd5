"""What registry is told from outside, and the signing key it holds."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from joserfc.jwk import OKPKey
from pydantic import FilePath, model_validator

from services.registry.catalogue import Catalogue
from services.registry.passwords import Passwords
from services.registry.post import Carrier, MailServer, Post, PostOnDisk
from shared.settings import Settings


class RegistrySettings(Settings):
    """Registry alone holds the key that signs actor tokens."""

    token_key_file: FilePath
    """The private Ed25519 key as a JWK."""
    administrator_password_file: FilePath
    """The password of the ministry's first administrator, used once, while there is no account."""
    administrator_email: str = "administrator@ministry.example"
    head_office: str = "PNH"
    smtp_url: str | None = None
    """The mail server: `smtps://user@host:465`, or `smtp://user@host:587` with STARTTLS, which only this machine may lack."""
    smtp_password_file: FilePath | None = None
    mail_from: str = "registry@ministry.example"
    mail_dir: Path | None = None
    """Where letters are laid where there is no mail server."""

    @model_validator(mode="after")
    def _letters_go_somewhere(self) -> Self:
        carrier_of(self)
        return self


@dataclass(frozen=True)
class Issuer:
    """Who signs tokens, for which audience, and who the first administrator is."""

    key: OKPKey
    audience: str
    head_office: str
    administrator_email: str
    administrator_password: str


def equip(settings: RegistrySettings) -> Iterable[object]:
    """What the handlers of registry use."""
    yield Passwords()
    yield Catalogue.load()
    yield Post(carrier_of(settings))
    yield Issuer(
        key=OKPKey.import_key(json.loads(settings.token_key_file.read_text())),
        audience=settings.country,
        head_office=settings.head_office,
        administrator_email=settings.administrator_email,
        administrator_password=settings.administrator_password_file.read_text().strip(),
    )


def carrier_of(settings: RegistrySettings) -> Carrier:
    """Who carries letters: the mail server, or the folder in its place. Raises ValueError where neither is named."""
    if settings.smtp_url:
        password = settings.smtp_password_file.read_text().strip() if settings.smtp_password_file else None
        return MailServer(settings.smtp_url, password, settings.mail_from)
    if settings.mail_dir:
        return PostOnDisk(settings.mail_dir, settings.mail_from)
    raise ValueError("name a mail server in CO_SMTP_URL, or a folder for letters in CO_MAIL_DIR")
