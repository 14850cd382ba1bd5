"""A passkey: a key that a person's device or security key holds, and the challenges that it answers (WebAuthn Level 3).

A challenge states its owner, its purpose and what it confirms, under a key of registry. So registry stores none before its use.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.registry.identity.domain.second_factor import SecondFactorWrong
from shared.refusals import Refused

MAX_PASSKEYS = 10
"""The most passkeys of one person (ours)."""
CHALLENGE_LASTS = timedelta(minutes=5)
"""How long a challenge can be answered: the time that WebAuthn recommends for user verification (15.1)."""
NONCE, INSTANT, MAC = 16, 8, 32
"""The bytes of a challenge: random ones, the end of its validity in seconds, and the code that authenticates it."""


class Purpose(StrEnum):
    """What a passkey answers a challenge for."""

    SIGN_IN = "sign_in"
    ENROL = "enrol"
    CHANGE = "change"
    STEP_UP = "step_up"


class Shown(StrEnum):
    """What a person has shown: a good passkey, a wrong one, or perhaps a copy of one."""

    GOOD = "good"
    WRONG = "wrong"
    COPIED = "copied"


class PasskeyWrong(SecondFactorWrong):
    variant = "passkey"


class PasskeyCopied(Refused):
    code = "passkey_copied"


class PasskeyNotFound(Refused):
    code = "passkey_not_found"


class PasskeyTaken(Refused):
    code = "passkey_taken"


class TooManyPasskeys(Refused):
    code = "too_many_passkeys"


class LastSecondFactor(Refused):
    code = "last_second_factor"


@dataclass(eq=False, kw_only=True)
class Passkey:
    """A person's passkey. `sign_count`: how often the authenticator says that it was used; 0 if it does not count."""

    passkey_id: UUID
    user_id: UUID
    credential_id: bytes
    public_key: bytes
    sign_count: int
    name: str
    created_at: datetime
    transports: list[str] = field(default_factory=list)
    last_used_at: datetime | None = None

    def used(self, sign_count: int, now: datetime) -> Shown:
        """The outcome of a use. A counter that does not advance belongs to a copy of the passkey (WebAuthn, 6.1.1)."""
        if max(sign_count, self.sign_count) > 0 and sign_count <= self.sign_count:
            return Shown.COPIED
        self.sign_count = sign_count
        self.last_used_at = now
        return Shown.GOOD


@dataclass(frozen=True)
class Challenged:
    """What a challenge states. `owner`: the person, or the e-mail address at sign-in. `confirms`: what the person confirms."""

    purpose: Purpose
    owner: str
    confirms: str = ""

    @classmethod
    def sign_in(cls, email: str) -> "Challenged":
        """Somebody signs in with this e-mail address, which may be unknown."""
        return cls(Purpose.SIGN_IN, email)

    @classmethod
    def enrolment(cls, user_id: UUID) -> "Challenged":
        """A person registers a passkey."""
        return cls(Purpose.ENROL, str(user_id))

    @classmethod
    def change(cls, user_id: UUID, act: str) -> "Challenged":
        """A person shows a passkey with the command of this subject, which changes the second factor."""
        return cls(Purpose.CHANGE, str(user_id), act)

    @classmethod
    def step_up(cls, user_id: UUID, decisions: Iterable[tuple[str, str]]) -> "Challenged":
        """A person confirms these decisions, in any order. A decision: subject and digest of a command."""
        canonical = "\n".join(sorted({f"{act} {digest}" for act, digest in decisions}))
        return cls(Purpose.STEP_UP, str(user_id), hashlib.sha256(canonical.encode()).hexdigest())


def new_challenge(key: bytes, stated: Challenged, now: datetime) -> bytes:
    """A random challenge."""
    body = secrets.token_bytes(NONCE) + int((now + CHALLENGE_LASTS).timestamp()).to_bytes(INSTANT, "big")
    return body + _mac(key, stated, body)


def expiry_of(key: bytes, challenge: bytes, stated: Challenged, now: datetime) -> datetime | None:
    """The end of a challenge that states this; None if it is forged, expired or states something else."""
    body, mac = challenge[:-MAC], challenge[-MAC:]
    if len(body) != NONCE + INSTANT or not hmac.compare_digest(mac, _mac(key, stated, body)):
        return None
    until = datetime.fromtimestamp(int.from_bytes(body[NONCE:], "big"), now.tzinfo)
    return until if now < until else None


def must_be_good(shown: Shown) -> None:
    """Raises PasskeyCopied or PasskeyWrong."""
    if shown is Shown.COPIED:
        raise PasskeyCopied("passkey")
    if shown is not Shown.GOOD:
        raise PasskeyWrong("passkey")


def _mac(key: bytes, stated: Challenged, body: bytes) -> bytes:
    content = "\n".join((stated.purpose, stated.owner, stated.confirms)).encode()
    return hmac.digest(key, body + content, "sha256")
