"""A second factor: an authenticator that shows another code every half minute (TOTP, RFC 6238), and recovery codes."""

from dataclasses import dataclass
from uuid import UUID

from shared.refusals import Refused

STEP = 30
"""Seconds for which a code is shown (RFC 6238, 5.2)."""
STEPS_APART = 1
"""How many steps the clock of an authenticator may be off, before and after (RFC 6238, 6)."""
RECOVERY_CODES = 10


class SecondFactorRequired(Refused):
    code = "second_factor_required"


class SecondFactorWrong(Refused):
    code = "second_factor_wrong"


class SecondFactorNotOffered(Refused):
    code = "second_factor_not_offered"


@dataclass(eq=False)
class SecondFactor:
    """What is kept of an authenticator: its sealed secret, and the last step whose code was used.

    `offered` is the sealed secret of one that is not confirmed yet.
    """

    user_id: UUID
    sealed: bytes | None = None
    offered: bytes | None = None
    last_step: int = 0

    @property
    def confirmed(self) -> bool:
        """Whether it is asked for at sign-in."""
        return self.sealed is not None
