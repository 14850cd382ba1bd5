"""What registry is told from outside, and the signing key it holds."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from joserfc.jwk import OKPKey
from pydantic import FilePath

from services.registry.passwords import Passwords
from shared.settings import Settings


class RegistrySettings(Settings):
    """Registry alone holds the key that signs actor tokens."""

    token_key_file: FilePath
    """The private Ed25519 key as a JWK."""
    administrator_password_file: FilePath
    """The password of the ministry's first administrator, used once, while there is no account."""
    administrator_email: str = "administrator@ministry.example"
    head_office: str = "PNH"


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
    yield Issuer(
        key=OKPKey.import_key(json.loads(settings.token_key_file.read_text())),
        audience=settings.country,
        head_office=settings.head_office,
        administrator_email=settings.administrator_email,
        administrator_password=settings.administrator_password_file.read_text().strip(),
    )
