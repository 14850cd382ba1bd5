"""Signatures with an nkey, which is an Ed25519 key: whether one is valid."""

import base64
import binascii
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def is_signed_with(key: str, signature: bytes, text: bytes) -> bool:
    """Whether `signature` is that of the public nkey `key` over `text`; False where `key` is no nkey."""
    try:
        _public_key(key).verify(signature, text)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


@lru_cache(maxsize=256)
def _public_key(key: str) -> Ed25519PublicKey:
    """An nkey is one byte, the key, and two bytes of checksum, in base32."""
    return Ed25519PublicKey.from_public_bytes(base64.b32decode(key + "=" * (-len(key) % 8))[1:33])
