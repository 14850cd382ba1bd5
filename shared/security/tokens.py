"""Actor tokens: every service verifies them itself, with the public keys that it has received in events.

A token is a JWT signed with Ed25519 (RFC 8037, RFC 9864). Issuer: `registry`. Audience: the country of the instance. Claims:
`sub` (user), `sid` (session), `org` (company id or office code) and `roles`; `enrolling` while an officer has no second factor.
For an agent that acts for an exporter, `mandate` replaces `org`: its `id`, and the company ids of the `agent` and of the
exporter (`for`). A release without mandates refuses such a token. For an API key, its id is both user and session.
"""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OKPKey
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database.tables import revoked_mandates, revoked_sessions, signing_keys
from shared.handling.actor import NOBODY, Actor, Mandated
from shared.refusals import Refused

ALGORITHM = "Ed25519"
ISSUER = "registry"
LEEWAY = 5
MAX_TOKEN = 4096
"""Maximum characters of an actor token."""
CACHED_FOR = timedelta(seconds=10)
"""How long the keys are cached. It is short, because a key may be retired early."""

_SIGNED_OUT = select(revoked_sessions.c.session_id).where(revoked_sessions.c.session_id == bindparam("session_id"))
_REVOKED = select(revoked_mandates.c.mandate_id).where(revoked_mandates.c.mandate_id == bindparam("mandate_id"))


class TokenExpired(Refused):
    code = "token_expired"


class TokenInvalid(Refused):
    code = "token_invalid"


class SessionSignedOut(TokenInvalid):
    variant = "session_signed_out"


class MandateTokenRevoked(TokenInvalid):
    variant = "mandate_revoked"


class TokenKeyUnknown(TokenInvalid):
    variant = "key_unknown"


def sign_token(key: OKPKey, actor: Actor, *, audience: str, now: datetime, lasts: timedelta) -> str:
    """Returns the actor token that registry issues at sign-in."""
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": audience,
        "sub": str(actor.user_id),
        "sid": str(actor.session_id),
        "roles": sorted(actor.roles),
        "iat": int(now.timestamp()),
        "exp": int((now + lasts).timestamp()),
    }
    if actor.enrolling:
        claims["enrolling"] = True
    if actor.mandate:
        mandate_id, agent_id = str(actor.mandate.mandate_id), str(actor.mandate.agent_id)
        claims["mandate"] = {"id": mandate_id, "agent": agent_id, "for": actor.organisation}
    else:
        claims["org"] = actor.organisation
    return jwt.encode({"alg": ALGORITHM, "kid": key.thumbprint()}, claims, key, algorithms=[ALGORITHM])


class Tokens:
    """Verifies actor tokens against the keys in a service's own database."""

    def __init__(self, audience: str) -> None:
        self.audience = audience
        self._keys: dict[str, tuple[str, datetime, datetime]] = {}
        self._read_at = datetime.min.replace(tzinfo=UTC)

    async def actor(self, token: str | None, session: AsyncSession, now: datetime) -> Actor:
        """Returns the actor of a token; NOBODY without a token.

        Raises TokenExpired or TokenInvalid, also for a revoked session or mandate.
        """
        if token is None:
            return NOBODY
        claims = await self.claims(token, session, now, audience=self.audience, longest=MAX_TOKEN)
        try:
            if not isinstance(claims["roles"], list):
                raise TokenInvalid()
            roles = frozenset(map(str, claims["roles"]))
            enrolling = claims.get("enrolling", False) is not False
            under = claims.get("mandate")
            mandate = None if under is None else Mandated(UUID(under["id"]), UUID(under["agent"]))
            organisation = str(claims["org"] if under is None else UUID(under["for"]))
            actor = Actor(
                user_id=UUID(claims["sub"]),
                session_id=UUID(claims["sid"]),
                organisation=organisation,
                roles=roles,
                enrolling=enrolling,
                mandate=mandate,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TokenInvalid() from None
        await self._must_not_be_revoked(actor, session)
        return actor

    @staticmethod
    async def _must_not_be_revoked(actor: Actor, session: AsyncSession) -> None:
        if await session.scalar(_SIGNED_OUT, {"session_id": actor.session_id}):
            raise SessionSignedOut()
        if actor.mandate and await session.scalar(_REVOKED, {"mandate_id": actor.mandate.mandate_id}):
            raise MandateTokenRevoked()

    async def claims(self, token: str, session: AsyncSession, now: datetime, *, audience: str, longest: int) -> dict[str, Any]:
        """Returns the claims of a token that registry signed for this audience. Raises TokenExpired or TokenInvalid.

        `longest`: maximum characters of the token.
        """
        if len(token) > longest:
            raise TokenInvalid()
        key = await self._key_of(token, session, now)
        try:
            claims = _signed_claims(token, key)
            jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=LEEWAY,
                iss={"essential": True, "value": ISSUER},
                aud={"essential": True, "value": audience},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(claims)
        except ExpiredTokenError:
            raise TokenExpired() from None
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            raise TokenInvalid() from None
        return claims

    async def _key_of(self, token: str, session: AsyncSession, now: datetime) -> str:
        try:
            key_id = _key_id_of(token)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise TokenInvalid() from None
        if key_id not in self._keys or abs(now - self._read_at) > CACHED_FOR:
            await self._read_keys(session)
            self._read_at = now
        key, not_before, not_after = self._keys.get(key_id, (None, now, now))
        if key is None or not not_before - timedelta(seconds=LEEWAY) <= now <= not_after:
            raise TokenKeyUnknown()
        return key

    async def _read_keys(self, session: AsyncSession) -> None:
        for row in (await session.execute(select(signing_keys))).all():
            self._keys[row.key_id] = (row.public_key, row.not_before, row.not_after)


@lru_cache(maxsize=512)
def _key_id_of(token: str) -> str:
    return str(json.loads(_decoded(token.split(".")[0]))["kid"])


@lru_cache(maxsize=16)
def _imported(public_key: str) -> OKPKey:
    return OKPKey.import_key(json.loads(public_key))


@lru_cache(maxsize=512)
def _signed_claims(token: str, public_key: str) -> dict[str, Any]:
    """The claims of a token with a genuine signature. A client sends the same token for minutes: it is verified once."""
    return jwt.decode(token, _imported(public_key), algorithms=[ALGORITHM]).claims


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def public_jwk(key: OKPKey) -> str:
    """The public half of a signing key as JSON (RFC 7517)."""
    return json.dumps(key.as_dict(private=False), sort_keys=True)
