"""Authenticators (TOTP, RFC 6238). Registry stores their secrets encrypted: a copy of the database reveals none."""

import base64
import hmac
import os
import secrets
from datetime import datetime
from uuid import UUID

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.registry.identity.domain.second_factor import MAX_STEPS_APART, STEP

ISSUER = "CO Automation"
NONCE = 12
RECOVERY_BITS = 80


class Authenticators:
    """Creates, encrypts and reads secrets of authenticators. Each secret is bound to its person and useless for another."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def new_secret(self, user_id: UUID) -> bytes:
        """A new secret, encrypted."""
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, pyotp.random_base32(32).encode(), user_id.bytes)

    def otpauth(self, user_id: UUID, sealed: bytes, email: str) -> str:
        """The `otpauth:` address of a secret, for a QR code. Raises ValueError, as `step_of` does."""
        return pyotp.TOTP(self._opened(user_id, sealed)).provisioning_uri(name=email, issuer_name=ISSUER)

    def step_of(self, user_id: UUID, sealed: bytes, code: str, now: datetime) -> int | None:
        """The step in which the person's authenticator shows this code; None if that is not about now.

        Raises ValueError where the secret was encrypted for another person or with another key.
        """
        present, totp = int(now.timestamp()) // STEP, pyotp.TOTP(self._opened(user_id, sealed))
        about_now = range(present - MAX_STEPS_APART, present + MAX_STEPS_APART + 1)
        return max((step for step in about_now if hmac.compare_digest(totp.generate_otp(step), code)), default=None)

    def _opened(self, user_id: UUID, sealed: bytes) -> str:
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], user_id.bytes).decode()
        except InvalidTag:
            raise ValueError(f"the second factor of {user_id} cannot be opened with this key") from None


def recovery_code() -> str:
    """A new code for a person to print, e.g. `ABCD-EFGH-2345-QRST`."""
    code = base64.b32encode(secrets.token_bytes(RECOVERY_BITS // 8)).decode()
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
