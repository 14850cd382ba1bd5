"""API keys: with one, a system of the agent's acts under a mandate. Only the hash of a key is kept."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.refusals import Refused

PREFIX = "cok_"
"""By this, scanners for leaked secrets know a key of ours."""
SHOWN = 4
"""Letters at the end of a key by which people tell keys apart; what is left is guessed by nobody."""
MAX_KEYS = 10
"""Keys of one mandate that are not revoked: one for each system, and room to change them."""


class ApiKeyNotFound(Refused):
    code = "api_key_not_found"


class ApiKeyIdTaken(Refused):
    code = "api_key_id_taken"


class ApiKeyInvalid(Refused):
    code = "api_key_invalid"


class TooManyApiKeys(Refused):
    code = "too_many_api_keys"


@dataclass(eq=False)
class ApiKey:
    """A key of a mandate. `end`: the last letters of what was shown."""

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
        """Ends it; says whether it was not ended before."""
        if self.revoked_at:
            return False
        self.revoked_at = now
        return True
