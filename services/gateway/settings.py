"""The settings and the tools of the gateway."""

import logging
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import Field, FilePath

from services.gateway.denials import DenialReasons
from services.gateway.kinds import DocumentKinds
from services.gateway.offices import Offices
from services.gateway.verification import VerificationClocks
from services.gateway.wire.customs import Customs
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.partners import Partners
from services.gateway.wire.signature import Signer
from services.gateway.wire.tls import Connections, http_client
from shared.settings import Settings

log = logging.getLogger(__name__)


class GatewaySettings(Settings):
    """The addresses of partners and customs, and the signing key of this gateway."""

    partners_file: FilePath
    """The partner directory: JSON, `{"partners": [row, ...]}` with rows of `services.gateway.wire.partners.PartnerRow`."""
    private_partners: bool = False
    """Whether partners may have private addresses: only for a demonstration or a test."""
    signing_certificate_file: FilePath
    signing_key_file: FilePath
    """The private key of the certificate, EC P-256, as PEM."""
    exchange_ca_file: FilePath
    """The CA of the TLS certificate of customs."""
    customs_url: str = Field(pattern=r"^https?://")
    """The address at which the national customs system receives documents."""
    max_message_bytes: int = Field(default=4 * 1024 * 1024, ge=64 * 1024)
    """Maximum bytes of a message or receipt. An e-Form D of 2,000 items with short descriptions has 1.4 MB."""


def read_partners(settings: GatewaySettings) -> Partners:
    """The partners of the directory file. Each refused row is logged."""
    partners = Partners.read(
        settings.partners_file, settings.country, datetime.now(UTC), private_addresses=settings.private_partners
    )
    for row in partners.refused:
        log.error("a row of the partner directory is refused", extra={"country": row.country, "reason": row.reason})
    return partners


def data() -> Iterable[object]:
    """The dated data that handlers get with `work.use`."""
    yield DenialReasons.load()
    yield VerificationClocks.load()
    yield DocumentKinds.load()
    yield Offices.load()


def tools(settings: GatewaySettings) -> Iterable[object]:
    """The objects that handlers get with `work.use`."""
    yield Exchange(
        settings.country,
        read_partners(settings),
        Signer.read(settings.signing_certificate_file, settings.signing_key_file),
        Connections(settings.tls_certificate_file, settings.tls_key_file),
        settings.max_message_bytes,
    )
    yield from data()
    yield Customs(settings.customs_url, http_client(ssl.create_default_context(cafile=settings.exchange_ca_file)))
