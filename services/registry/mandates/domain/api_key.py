"""API keys: a system of the agent acts under a mandate with one. Only the hash of a key is stored."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.refusals import Refused

PREFIX = "cok_"
"""Scanners for leaked secrets recognise our keys by this."""
SHOWN = 4
"""Characters at the end of a key by which people recognise it. The rest is too long to guess."""
MAX_KEYS = 10
"""The most valid keys of one mandate: one for each system, and room to replace them."""


class ApiKeyNotFound(Refused):
    code = "api_key_not_found"


class ApiKeyIdTaken(Refused):
    code = "api_key_id_taken"


class ApiKeyInvalid(Refused):
    code = "api_key_invalid"


class TooManyApiKeys(Refused):
    code = "too_many_api_keys"


@dataclass(eq=False, kw_only=True)
class ApiKey:
    """A key of a mandate. `end`: its last characters."""

    api_key_id: UUID
    mandate_id: UUID
    name: str
    key_hash: str
    end: str
    made_at: datetime
    made_by: UUID
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def revoke(self, now: datetime) -> bool:
        """Revokes the key. Returns False if it was revoked before."""
        if self.revoked_at:
            return False
        self.revoked_at = now
        return True
