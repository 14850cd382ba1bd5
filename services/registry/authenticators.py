"""Authenticators that people hold (TOTP, RFC 6238). Their secrets are sealed at rest: a copy of the database opens none."""

import base64
import hmac
import os
import secrets
from datetime import datetime
from uuid import UUID

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.registry.domain.second_factor import STEP, STEPS_APART

ISSUER = "CO Automation"
NONCE = 12
RECOVERY_BITS = 80


class Authenticators:
    """Makes, seals and reads the secrets of authenticators; each is bound to its person, so that none can be swapped."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def offer(self, user_id: UUID, email: str) -> tuple[bytes, str]:
        """A new secret: sealed as it is kept, and as the address that an authenticator reads from a picture."""
        secret = pyotp.random_base32(32)
        nonce = os.urandom(NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, secret.encode(), user_id.bytes)
        return sealed, pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)

    def step_of(self, user_id: UUID, sealed: bytes, code: str, now: datetime) -> int | None:
        """The step in which this person's authenticator shows this code, if that is about now.

        Raises ValueError where the secret was sealed for somebody else, or with another key.
        """
        try:
            secret = self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], user_id.bytes).decode()
        except InvalidTag:
            raise ValueError(f"the second factor of {user_id} cannot be opened with this key") from None
        present, totp = int(now.timestamp()) // STEP, pyotp.TOTP(secret)
        about_now = range(present - STEPS_APART, present + STEPS_APART + 1)
        return max((step for step in about_now if hmac.compare_digest(totp.generate_otp(step), code)), default=None)


def recovery_code() -> str:
    """A code to be printed, e.g. `ABCD-EFGH-2345-QRST`."""
    letters = base64.b32encode(secrets.token_bytes(RECOVERY_BITS // 8)).decode()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))
