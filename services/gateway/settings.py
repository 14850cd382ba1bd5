"""What the gateway is told from outside, and what it is equipped with."""

import ssl
from collections.abc import Iterable

from pydantic import Field, FilePath

from services.gateway.wire.customs import Customs
from services.gateway.wire.exchange import Exchange, http_client
from services.gateway.wire.partners import Partners
from services.gateway.wire.signature import Signer
from shared.settings import Settings


class GatewaySettings(Settings):
    """Where partners and customs are, and what this gateway signs with."""

    partners_file: FilePath
    """The partner directory: JSON, by country `{"address", "certificate_file", "trust_trace"}`."""
    signing_certificate_file: FilePath
    signing_key_file: FilePath
    """The private key of the certificate, EC P-256, as PEM."""
    exchange_ca_file: FilePath
    """The authority whose TLS certificates partners and customs must show."""
    customs_url: str = Field(pattern=r"^https?://")
    """Where the national customs system takes documents."""
    max_message_bytes: int = Field(default=4 * 1024 * 1024, ge=64 * 1024)
    """How long a message or a receipt may be; an e-Form D of 2,000 items with short descriptions has 1.4 MB."""


def tools(settings: GatewaySettings) -> Iterable[object]:
    """What the handlers of the gateway use."""
    client = http_client(ssl.create_default_context(cafile=settings.exchange_ca_file))
    yield Exchange(
        settings.country,
        Partners.read(settings.partners_file),
        Signer.read(settings.signing_certificate_file, settings.signing_key_file),
        client,
        settings.max_message_bytes,
    )
    yield Customs(settings.customs_url, client)
