"""The settings of registry, and the objects that its handlers use."""

from base64 import urlsafe_b64decode
from collections.abc import Iterable
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import FilePath, model_validator

from services.registry.companies.reference_data import ReferenceData
from services.registry.identity.authenticators import Authenticators
from services.registry.identity.link_emails import Portal
from services.registry.identity.offices import Offices
from services.registry.identity.password_hashing import Passwords
from services.registry.identity.relying_party import RelyingParty, default_origin, must_be_usable
from services.registry.identity.second_factor_rules import SecondFactorRules
from services.registry.identity.signing_keys import SigningKeys
from services.registry.identity.users import FirstAdministrator
from services.registry.mail.templates import EmailTemplates
from services.registry.mail.transport import Mailer, MailFolder, SmtpServer, Transport
from services.registry.mandates.reference_data import MandateLimits
from shared.settings import Settings


class RegistrySettings(Settings):
    """Only registry holds the keys that sign actor tokens and encrypt second factors."""

    token_key_file: FilePath
    """The private Ed25519 keys as a JWK set, or one as a JWK."""
    second_factor_key_file: FilePath
    """32 bytes in base64url: the key that encrypts the secrets of authenticators."""
    administrator_password_file: FilePath
    """The password of the ministry's first administrator, used once, while there is no account."""
    administrator_email: str = "administrator@ministry.example"
    head_office: str = "PNH"
    portal_address: str = "http://127.0.0.1:8080"
    """The address of the portal, which links in e-mails begin with."""
    web_origins: str = ""
    """Comma-separated origins on which browsers use passkeys, e.g. `https://localhost:8443`. Empty: that of the portal."""
    passkey_domain: str = ""
    """The domain that passkeys belong to; to change it makes all of them useless. Empty: the host of the first origin."""
    passkey_name: str = "CO Automation"
    """The name that an authenticator shows beside a passkey."""
    smtp_url: str | None = None
    """The mail server: `smtps://user@host:465`, or `smtp://user@host:587` with STARTTLS. Only this machine may lack TLS."""
    smtp_password_file: FilePath | None = None
    mail_from: str = "registry@ministry.example"
    mail_dir: Path | None = None
    """The folder for e-mails where there is no mail server."""

    @model_validator(mode="after")
    def _there_is_a_transport(self) -> Self:
        transport_of(self)
        return self

    @model_validator(mode="after")
    def _passkeys_are_usable(self) -> Self:
        if self.web_origins or self.passkey_domain:
            must_be_usable(self.rp_id, self.origins)
        return self

    @property
    def origins(self) -> list[str]:
        """The origins on which browsers use passkeys."""
        named = [origin.strip().rstrip("/") for origin in self.web_origins.split(",") if origin.strip()]
        return named or [default_origin(self.portal_address)]

    @property
    def rp_id(self) -> str:
        """The domain that passkeys belong to: the id of the relying party (WebAuthn)."""
        return self.passkey_domain or urlsplit(self.origins[0]).hostname or ""


def tools(settings: RegistrySettings) -> Iterable[object]:
    """The objects that the handlers of registry use."""
    yield from reference_data()
    yield Passwords()
    second_factor_key = urlsafe_b64decode(settings.second_factor_key_file.read_text().strip() + "==")
    yield Authenticators(second_factor_key)
    yield RelyingParty(rp_id=settings.rp_id, name=settings.passkey_name, origins=settings.origins, key=second_factor_key)
    yield SigningKeys.read(settings.token_key_file)
    yield Mailer(transport_of(settings))
    yield Portal(settings.portal_address.rstrip("/"))
    yield FirstAdministrator(
        email=settings.administrator_email,
        password=settings.administrator_password_file.read_text().strip(),
        office=settings.head_office,
    )


def reference_data() -> Iterable[object]:
    """The data files of this release."""
    yield ReferenceData.load()
    yield Offices.load()
    yield SecondFactorRules.load()
    yield MandateLimits.load()
    yield EmailTemplates.load()


def transport_of(settings: RegistrySettings) -> Transport:
    """The mail server, or the folder in its place. Raises ValueError where neither is set."""
    if settings.smtp_url:
        password = settings.smtp_password_file.read_text().strip() if settings.smtp_password_file else None
        return SmtpServer(settings.smtp_url, password, settings.mail_from)
    if settings.mail_dir:
        return MailFolder(settings.mail_dir, settings.mail_from)
    raise ValueError("name a mail server in CO_SMTP_URL, or a folder for e-mails in CO_MAIL_DIR")
