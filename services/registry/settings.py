"""What registry is told from outside, and the keys it holds."""

from base64 import urlsafe_b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import FilePath, model_validator

from services.registry.authenticators import Authenticators
from services.registry.catalogue import Catalogue
from services.registry.passwords import Passwords
from services.registry.post import Carrier, MailServer, Post, PostOnDisk
from services.registry.signing_keys import SigningKeys
from shared.settings import Settings


class RegistrySettings(Settings):
    """Registry alone holds the keys that sign actor tokens and seal second factors."""

    token_key_file: FilePath
    """The private Ed25519 keys as a JWK set, or one as a JWK."""
    second_factor_key_file: FilePath
    """32 bytes in base64url: what the secrets of authenticators are sealed with."""
    administrator_password_file: FilePath
    """The password of the ministry's first administrator, used once, while there is no account."""
    administrator_email: str = "administrator@ministry.example"
    head_office: str = "PNH"
    portal_address: str = "http://127.0.0.1:8080"
    """Where people reach the portal: what links in letters begin with."""
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
    """Who signs tokens, for which audience, where the portal is, and who the first administrator is."""

    keys: SigningKeys
    audience: str
    head_office: str
    administrator_email: str
    administrator_password: str
    portal_address: str = "http://127.0.0.1:8080"


def tools(settings: RegistrySettings) -> Iterable[object]:
    """What the handlers of registry use."""
    yield Passwords()
    yield Catalogue.load()
    yield Authenticators(urlsafe_b64decode(settings.second_factor_key_file.read_text().strip() + "=="))
    yield Post(carrier_of(settings))
    yield Issuer(
        keys=SigningKeys.read(settings.token_key_file),
        audience=settings.country,
        head_office=settings.head_office,
        administrator_email=settings.administrator_email,
        administrator_password=settings.administrator_password_file.read_text().strip(),
        portal_address=settings.portal_address.rstrip("/"),
    )


def carrier_of(settings: RegistrySettings) -> Carrier:
    """Who carries letters: the mail server, or the folder in its place. Raises ValueError where neither is named."""
    if settings.smtp_url:
        password = settings.smtp_password_file.read_text().strip() if settings.smtp_password_file else None
        return MailServer(settings.smtp_url, password, settings.mail_from)
    if settings.mail_dir:
        return PostOnDisk(settings.mail_dir, settings.mail_from)
    raise ValueError("name a mail server in CO_SMTP_URL, or a folder for letters in CO_MAIL_DIR")
