"""The settings and the tools of the gateway."""

import ssl
from collections.abc import Iterable

from pydantic import Field, FilePath

from services.gateway.wire.customs import Customs
from services.gateway.wire.exchange import Exchange, http_client
from services.gateway.wire.partners import Partners
from services.gateway.wire.signature import Signer
from shared.settings import Settings


class GatewaySettings(Settings):
    """The addresses of partners and customs, and the signing key of this gateway."""

    partners_file: FilePath
    """The partner directory: JSON, by country `{"address", "certificate_file", "trust_trace"}`."""
    signing_certificate_file: FilePath
    signing_key_file: FilePath
    """The private key of the certificate, EC P-256, as PEM."""
    exchange_ca_file: FilePath
    """The CA of the TLS certificates of partners and customs."""
    customs_url: str = Field(pattern=r"^https?://")
    """The address at which the national customs system receives documents."""
    max_message_bytes: int = Field(default=4 * 1024 * 1024, ge=64 * 1024)
    """Maximum bytes of a message or receipt. An e-Form D of 2,000 items with short descriptions has 1.4 MB."""


def tools(settings: GatewaySettings) -> Iterable[object]:
    """The objects that handlers get with `work.use`."""
    client = http_client(ssl.create_default_context(cafile=settings.exchange_ca_file))
    yield Exchange(
        settings.country,
        Partners.read(settings.partners_file),
        Signer.read(settings.signing_certificate_file, settings.signing_key_file),
        client,
        settings.max_message_bytes,
    )
    yield Customs(settings.customs_url, client)
