"""Acts that bind the state need more than an actor token: a step-up token, given for a fresh second factor.

It is a JWT like the actor token, for an audience of its own: `sub`, `sid`, an id `jti`, and `acts`: for each class of command,
by its subject, the digests of the commands that were decided. It lasts a minute, and each command is let in once with it, so
whoever steals it with the session can do nothing but what the officer had decided.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import OKPKey

from shared.contracts.messages import Command
from shared.security.tokens import ALGORITHM, ISSUER, LEEWAY, TokenExpired, TokenInvalid, Tokens
from shared.handling.actor import Actor
from shared.refusals import Refused
from shared.database.upserts import insert_new
from shared.database.tables import used_step_ups
from shared.handling.work import Work

STEP_UP_LASTS = timedelta(seconds=60)
MAX_DECISIONS = 50
"""Commands that one second factor may decide together: about what an officer can look through before they sign a list."""
LONGEST = 8192


class StepUpRequired(Refused):
    """This act binds the state: confirm it with your second factor."""

    code = "step_up_required"


class StepUpExpired(Refused):
    """The confirmation has expired: confirm once more with your second factor."""

    code = "step_up_expired"


class StepUpInvalid(Refused):
    """This confirmation is not for this act, this session or this content."""

    code = "step_up_invalid"


class StepUpUsed(Refused):
    """This confirmation has been used already: confirm once more with your second factor."""

    code = "step_up_used"


def digest_of(command: Command) -> str:
    """SHA-256 of what is decided: the class, by its subject, and every field but the command's id, as canonical JSON."""
    content = command.model_dump(mode="json", exclude={"command_id"})
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{command.subject}\n{canonical}".encode()).hexdigest()


def sign_step_up(
    key: OKPKey, actor: Actor, decisions: Iterable[tuple[str, str]], *, audience: str, now: datetime, lasts: timedelta
) -> str:
    """The token for what this person decided in this session: subjects of commands with their digests."""
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
    """Lets a command pass with a step-up token that is for it, once; in the transaction of the act, so a refused act leaves
    the token as it was. Raises StepUpRequired, StepUpExpired, StepUpInvalid, StepUpUsed."""
    if not token:
        raise StepUpRequired()
    digest, actor = digest_of(command), work.actor
    try:
        claims = await tokens.claims(token, work.session, work.now, audience=_audience(tokens.audience), longest=LONGEST)
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
    if not (await work.session.execute(insert_new(work.dialect, used_step_ups, [use]))).all():
        raise StepUpUsed()


def _audience(country: str) -> str:
    """An audience of its own, so that neither kind of token is ever taken for the other."""
    return f"{country} step-up"
