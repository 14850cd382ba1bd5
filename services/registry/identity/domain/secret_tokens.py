"""Random tokens in links, sessions and API keys. Registry stores only their hashes."""

import hashlib
import secrets


def new_token() -> str:
    """A token of 256 random bits, as 43 characters."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """The hash to store. A token of 256 random bits needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
