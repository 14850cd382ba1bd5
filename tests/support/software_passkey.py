"""An authenticator in software: it creates passkeys (ES256, attestation `none`) and answers challenges, as a browser would."""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, WITH_CREDENTIAL = 0x01, 0x04, 0x40
"""Flags of authenticator data (WebAuthn, 6.1)."""
ORIGIN = "http://localhost:8080"


@dataclass
class SoftwarePasskey:
    """A passkey on a device. `count`: the next counter of a signature; None for a device that does not count.

    A test changes `origin`, `rp_id` or `flags` to answer as no honest browser does.
    """

    origin: str = ORIGIN
    rp_id: str | None = None
    flags: int = PRESENT | VERIFIED
    count: int | None = 1
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def created(self, options: str) -> str:
        """The response to `navigator.credentials.create`."""
        wanted = json.loads(options)
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._new_credential_data(wanted["rp"]["id"])}
        response = {"attestationObject": encoded(cbor2.dumps(attestation)), "transports": ["internal", "hybrid"]}
        return self._response("webauthn.create", wanted["challenge"], response)

    def answered(self, options: str) -> str:
        """The response to `navigator.credentials.get`."""
        wanted = json.loads(options)
        data = self._authenticator_data(wanted["rpId"], self.flags)
        client_data = self._client_data("webauthn.get", wanted["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"authenticatorData": encoded(data), "signature": encoded(signature), "userHandle": None}
        return self._response("webauthn.get", wanted["challenge"], response)

    def _response(self, kind: str, challenge: str, response: dict[str, Any]) -> str:
        credential_id = encoded(self.credential_id)
        content = {"clientDataJSON": encoded(self._client_data(kind, challenge))} | response
        return json.dumps({"id": credential_id, "rawId": credential_id, "type": "public-key", "response": content})

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _authenticator_data(self, rp_id: str, flags: int) -> bytes:
        count, self.count = self.count or 0, None if self.count is None else self.count + 1
        return hashlib.sha256((self.rp_id or rp_id).encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")

    def _new_credential_data(self, rp_id: str) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (point.x, point.y))
        cose_key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})  # RFC 9053, 7.1.1
        credential = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cose_key
        return self._authenticator_data(rp_id, self.flags | WITH_CREDENTIAL) + credential


def encoded(content: bytes) -> str:
    """Base64url without padding (RFC 4648, 5)."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return urlsafe_b64decode(text + "==")
