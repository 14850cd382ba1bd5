"""Verifies signatures made with an nkey, which is an Ed25519 key."""

import base64
import binascii
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def is_signed_with(key: str, signature: bytes, text: bytes) -> bool:
    """Whether the public nkey `key` verifies `signature` over `text`; False if `key` is not an nkey."""
    try:
        _public_key(key).verify(signature, text)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


@lru_cache(maxsize=256)
def _public_key(key: str) -> Ed25519PublicKey:
    """Decodes an nkey: base32 of one type byte, the 32 bytes of the key, and a checksum of two bytes."""
    return Ed25519PublicKey.from_public_bytes(base64.b32decode(key + "=" * (-len(key) % 8))[1:33])
