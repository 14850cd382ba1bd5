"""What registry is told from outside, and the keys it holds."""

from base64 import urlsafe_b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import FilePath

from services.registry.authenticators import Authenticators
from services.registry.passwords import Passwords
from services.registry.post import Post
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
    letters_dir: Path
    """Where letters are laid."""
    letters_from: str = "registry@ministry.example"


@dataclass(frozen=True)
class Issuer:
    """Who signs tokens, for which audience, where the portal is, and who the first administrator is."""

    keys: SigningKeys
    audience: str
    head_office: str
    administrator_email: str
    administrator_password: str
    portal_address: str = "http://127.0.0.1:8080"


def equip(settings: RegistrySettings) -> Iterable[object]:
    """What the handlers of registry use."""
    yield Passwords()
    yield Authenticators(urlsafe_b64decode(settings.second_factor_key_file.read_text().strip() + "=="))
    yield Post(settings.letters_dir, settings.letters_from)
    yield Issuer(
        keys=SigningKeys.read(settings.token_key_file),
        audience=settings.country,
        head_office=settings.head_office,
        administrator_email=settings.administrator_email,
        administrator_password=settings.administrator_password_file.read_text().strip(),
        portal_address=settings.portal_address.rstrip("/"),
    )
