"""An authenticator that shows a new code every 30 seconds (TOTP, RFC 6238), and recovery codes. See also `passkey.py`."""

from dataclasses import dataclass
from uuid import UUID

from shared.refusals import Refused

STEP = 30
"""Seconds for which a code is valid (RFC 6238, 5.2)."""
MAX_STEPS_APART = 1
"""Steps by which the clock of an authenticator may differ from ours (RFC 6238, 6)."""
RECOVERY_CODES = 10


class SecondFactorRequired(Refused):
    code = "second_factor_required"


class SecondFactorWrong(Refused):
    code = "second_factor_wrong"


class SecondFactorUsed(Refused):
    code = "second_factor_used"


class SecondFactorNotOffered(Refused):
    code = "second_factor_not_offered"


@dataclass(eq=False, kw_only=True)
class SecondFactor:
    """The sealed secret of a person's authenticator, and the last step whose code was used.

    `offered` is the sealed secret of an authenticator that is not confirmed yet.
    """

    user_id: UUID
    sealed: bytes | None = None
    offered: bytes | None = None
    last_step: int = 0

    @property
    def confirmed(self) -> bool:
        """Whether the person must show a code at sign-in."""
        return self.sealed is not None

    def confirm(self, secret: bytes, step: int) -> None:
        """The person has shown the code of this step with this secret."""
        self.sealed = secret
        self.offered = None
        self.last_step = step
