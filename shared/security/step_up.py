"""Step-up tokens: a command that binds the state needs one besides the actor token. Registry issues it for a new code.

A step-up token is a JWT with a separate audience. Claims: `sub`, `sid`, the id `jti`, and `acts`, the digests of the decided
commands by subject. It lasts one minute, and each command uses it once: a stolen token permits nothing else.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import OKPKey

from shared.contracts.messages import Command
from shared.database.tables import used_step_ups
from shared.handling.actor import Actor
from shared.handling.work import Work
from shared.refusals import Refused
from shared.security.tokens import ALGORITHM, ISSUER, LEEWAY, TokenExpired, TokenInvalid, Tokens

STEP_UP_LASTS = timedelta(seconds=60)
MAX_DECISIONS = 50
"""Maximum commands of one step-up token: about as many as an officer can check before signing a list."""
MAX_STEP_UP = 8192


class StepUpRequired(Refused):
    code = "step_up_required"


class StepUpExpired(Refused):
    code = "step_up_expired"


class StepUpInvalid(Refused):
    code = "step_up_invalid"


class StepUpUsed(Refused):
    code = "step_up_used"


def digest_of(command: Command) -> str:
    """The SHA-256 of a decision: the subject, and all fields except the command id, as canonical JSON."""
    content = command.model_dump(mode="json", exclude={"command_id"})
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{command.subject}\n{canonical}".encode()).hexdigest()


def sign_step_up(
    key: OKPKey, actor: Actor, decisions: Iterable[tuple[str, str]], *, audience: str, now: datetime, lasts: timedelta
) -> str:
    """Returns the token for the decisions of a person in a session. A decision: subject and digest of a command."""
    acts: dict[str, list[str]] = {}
    for subject, digest in decisions:
        acts.setdefault(subject, []).append(digest)
    claims = {
        "iss": ISSUER,
        "aud": _audience(audience),
        "sub": str(actor.user_id),
        "sid": str(actor.session_id),
        "jti": str(uuid4()),
        "acts": acts,
        "iat": int(now.timestamp()),
        "exp": int((now + lasts).timestamp()),
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key.thumbprint()}, claims, key, algorithms=[ALGORITHM])


async def use_step_up(token: str | None, command: Command, work: Work, tokens: Tokens) -> None:
    """Marks a step-up token as used for a command, in the transaction of the command. A refused command does not use it.

    Raises StepUpRequired, StepUpExpired, StepUpInvalid, StepUpUsed.
    """
    if not token:
        raise StepUpRequired()
    digest, actor = digest_of(command), work.actor
    try:
        claims = await tokens.claims(token, work.session, work.now, audience=_audience(tokens.audience), longest=MAX_STEP_UP)
        token_id, until = UUID(claims["jti"]), datetime.fromtimestamp(claims["exp"], UTC)
        mine = (claims["sub"], claims["sid"]) == (str(actor.user_id), str(actor.session_id))
        decided = digest in claims["acts"][command.subject]
    except TokenExpired:
        raise StepUpExpired() from None
    except (TokenInvalid, KeyError, TypeError, ValueError, AttributeError):
        raise StepUpInvalid() from None
    if not (mine and decided):
        raise StepUpInvalid()
    use = {"token_id": token_id, "digest": digest, "until": until + timedelta(seconds=2 * LEEWAY)}
    if not await work.insert_new(used_step_ups, [use]):
        raise StepUpUsed()


def _audience(country: str) -> str:
    """A separate audience, so that no service accepts one kind of token for the other."""
    return f"{country} step-up"
