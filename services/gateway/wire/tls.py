"""TLS with partners: each side trusts exactly the pinned certificates of the other."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

TIMEOUT = 30.0
"""Seconds within which a partner must answer."""


def trust_only(context: ssl.SSLContext, pinned: Sequence[x509.Certificate]) -> None:
    """Makes a TLS context trust exactly these certificates, by any issuer."""
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if pinned:
        context.load_verify_locations(cadata="".join(each.public_bytes(Encoding.PEM).decode() for each in pinned))


def is_expired(certificate: x509.Certificate) -> bool:
    """Whether a certificate is no longer valid. A TLS handshake checks it, a trusted proxy does not."""
    return certificate.not_valid_after_utc < datetime.now(UTC)


class Connections:
    """An HTTP client for each partner, with the certificate of this gateway."""

    def __init__(self, certificate_file: Path | None, key_file: Path | None) -> None:
        """`certificate_file`, `key_file`: the TLS certificate of this gateway, as PEM; None presents none."""
        self._own = certificate_file, key_file
        self._clients: dict[str, httpx.AsyncClient] = {}

    def to(self, country: str, pinned: Sequence[x509.Certificate]) -> httpx.AsyncClient:
        """The client for a partner. It trusts only these certificates and checks the name in the address."""
        if country not in self._clients:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            trust_only(context, pinned)
            certificate, key = self._own
            if certificate is not None:
                context.load_cert_chain(certificate, key)
            self._clients[country] = http_client(context)
        return self._clients[country]

    async def aclose(self) -> None:
        """Closes all connections."""
        for client in self._clients.values():
            await client.aclose()


def http_client(tls: ssl.SSLContext) -> httpx.AsyncClient:
    """An HTTP client with this TLS context. It uses no proxy settings, follows no redirect, and has a timeout."""
    return httpx.AsyncClient(verify=tls, trust_env=False, follow_redirects=False, timeout=httpx.Timeout(TIMEOUT, connect=5.0))
