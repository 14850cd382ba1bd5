"""Mutual TLS: the gateway requests a certificate of its clients, and gives it to routes as `scope["client_certificate"]` (DER).

Only pinned certificates pass the handshake. A client without one is served, because health checks have none; the route for
partners decides. Behind a trusted proxy the certificate stands in the header `X-Client-Certificate`, as PEM in URL encoding:
the proxy has verified that its client has the key.
"""

import ssl
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from services.gateway.wire.exchange import Exchange
from services.gateway.wire.tls import trust_only
from shared.runtime.http_server import HttpServer
from shared.settings import Settings

HEADER = b"x-client-certificate"
MAX_HEADER = 8 * 1024
"""Maximum bytes of the header."""


class PartnerServer(HttpServer):
    """The HTTP server of a gateway, which requests the certificate of each client."""

    def __init__(self, app: Starlette, settings: Settings) -> None:
        super().__init__(app, settings, http=_Protocol)
        self.config.load()
        if self.config.ssl is not None:
            trust_only(self.config.ssl, app.state.context.use(Exchange).pinned)
            self.config.ssl.verify_mode = ssl.CERT_OPTIONAL


class _Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's protocol that adds the certificate of the client to the scope."""

    app: Any

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        of_peer = tls.getpeercert(binary_form=True) if tls else None
        app: Any = self.app
        trusted = is_trusted(str(self.config.forwarded_allow_ips or ""), self.client)

        async def with_certificate(scope: dict[str, Any], receive: Any, send: Any) -> None:
            scope["client_certificate"] = certificate_in(scope["headers"]) if trusted else of_peer
            await app(scope, receive, send)

        self.app = with_certificate


def is_trusted(proxies: str, client: tuple[str, int] | None) -> bool:
    """Whether a connection comes from a trusted proxy. `proxies`: addresses or networks with commas, or `*`."""
    allowed = [each.strip() for each in proxies.split(",") if each.strip()]
    if "*" in allowed:
        return True
    with suppress(ValueError):
        return client is not None and any(ip_address(client[0]) in ip_network(each, strict=False) for each in allowed)
    return False


def certificate_in(headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """The certificate (DER) in the header of a proxy; None if there is none that can be read."""
    found = next((value for name, value in headers if name == HEADER), b"")
    with suppress(ValueError):
        if 0 < len(found) <= MAX_HEADER:
            return x509.load_pem_x509_certificate(unquote_to_bytes(found)).public_bytes(Encoding.DER)
    return None
