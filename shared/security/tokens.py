"""Who asks: the actor token, verified by every service itself with the keys it knows from events.

Tokens are JWTs signed with Ed25519 (RFC 8037, RFC 9864): issuer `registry`, audience the instance's country, the claims
`sub` (user), `sid` (session), `org` (company id or office code) and `roles`; `enrolling` where an officer has yet to set up
the second factor. Where an agent acts for an exporter, `mandate` stands in place of `org`: its `id`, and the company ids of the
`agent` and of the exporter (`for`): so code that knows nothing of mandates refuses the token, and takes no agent for the
exporter. With an API key, the key is both the user and the session.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OKPKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.refusals import Refused
from shared.database.tables import revoked_mandates, revoked_sessions, signing_keys

ALGORITHM = "Ed25519"
ISSUER = "registry"
LEEWAY = 5
LONGEST = 4096
"""Characters of an actor token."""
LOOKED_AGAIN = timedelta(seconds=10)
"""How old what is known of the keys may be: a key may be retired before its time."""


class NotSignedIn(Refused):
    """This needs a signed-in person: send an actor token."""

    code = "not_signed_in"


class TokenExpired(Refused):
    """The actor token has expired: sign in again."""

    code = "token_expired"


class TokenInvalid(Refused):
    """The actor token is not valid here: sign in again."""

    code = "token_invalid"


class SecondFactorMissing(Refused):
    """Officers need a second factor: set one up first."""

    code = "second_factor_missing"


class RoleRequired(Refused):
    """This person does not have the role that the act needs."""

    code = "role_required"


class NotYours(Refused):
    """This belongs to another organisation."""

    code = "not_yours"


class OutsideMandate(Refused):
    """An agent cannot do this for an exporter: the exporter does it itself."""

    code = "outside_mandate"


class BegunByAnother(Refused):
    """An agent reaches the certificates that it began itself; this one was begun by the exporter or another agent."""

    code = "certificate_begun_by_another"


@dataclass(frozen=True)
class Mandated:
    """Under which mandate somebody acts for a company that is not their own, and which company is."""

    mandate_id: UUID
    agent_id: UUID


@dataclass(frozen=True)
class Actor:
    """A known person, or a system with an API key, the organisation they act for and their roles; or nobody.

    `enrolling`: an officer who may do nothing yet but set up the second factor. `mandate`: where the organisation is not their
    own, but an exporter that their company is the agent of.
    """

    user_id: UUID | None = None
    session_id: UUID | None = None
    organisation: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    enrolling: bool = False
    mandate: Mandated | None = None

    @property
    def name(self) -> str:
        """What stored answers are kept under, and what the trail names. Whoever makes a key chooses its id, so a key is never
        named like a person."""
        if self.user_id is None:
            return "anonymous"
        return f"api-key:{self.user_id}" if self.user_id == self.session_id else str(self.user_id)

    @property
    def agent_id(self) -> UUID | None:
        """The company that acts, where it acts for another."""
        return self.mandate.agent_id if self.mandate else None

    @property
    def company(self) -> str:
        """The organisation that they act for, and before it the agent they belong to, where that is another."""
        return f"{self.mandate.agent_id} for {self.organisation}" if self.mandate else self.organisation

    def must_be(self, *roles: str) -> None:
        """Refuses whoever has none of these roles."""
        if not self.roles.intersection(roles):
            raise RoleRequired(f"This act needs the role {' or '.join(roles)}.")

    def must_act_for(self, organisation: UUID | str) -> None:
        """Refuses whoever acts for another organisation."""
        if self.organisation != str(organisation):
            raise NotYours()

    def must_have_id(self) -> UUID:
        """The id of the person. Raises NotSignedIn."""
        if self.user_id is None:
            raise NotSignedIn()
        return self.user_id

    def must_have_session(self) -> UUID:
        """The session this person is signed in with. Raises NotSignedIn."""
        if self.session_id is None:
            raise NotSignedIn()
        return self.session_id

    def may_read(self, organisation: UUID | str, *roles: str) -> None:
        """Refuses whoever neither acts for the organisation nor has one of the roles."""
        if self.organisation != str(organisation) and not self.roles.intersection(roles):
            raise NotYours()

    def must_have_begun(self, agent_id: UUID | None) -> None:
        """Refuses an agent that is not the one by which this was begun; the exporter reaches all that is its own.

        `agent_id`: the agent that began it, or None where the exporter did, or where that is not known.
        """
        if self.mandate and self.mandate.agent_id != agent_id:
            raise BegunByAnother("", "certificate_id")


NOBODY = Actor()


def sign_token(key: OKPKey, actor: Actor, *, audience: str, now: datetime, lasts: timedelta) -> str:
    """The actor token that registry gives at sign-in."""
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
        self._keys: dict[str, tuple[OKPKey, datetime, datetime]] = {}
        self._learned_at = datetime.min.replace(tzinfo=UTC)

    async def actor(self, token: str | None, session: AsyncSession, now: datetime) -> Actor:
        """The actor a token names; nobody, where there is no token.

        Raises TokenExpired or TokenInvalid, also for a session or a mandate that was revoked.
        """
        if token is None:
            return NOBODY
        claims = await self.claims(token, session, now, audience=self.audience, longest=LONGEST)
        try:
            if not isinstance(claims["roles"], list):
                raise TokenInvalid()
            roles = frozenset(map(str, claims["roles"]))
            enrolling = claims.get("enrolling", False) is not False
            under = claims.get("mandate")
            mandate = None if under is None else Mandated(UUID(under["id"]), UUID(under["agent"]))
            organisation = str(claims["org"] if under is None else UUID(under["for"]))
            actor = Actor(UUID(claims["sub"]), UUID(claims["sid"]), organisation, roles, enrolling, mandate)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TokenInvalid() from None
        await self._must_not_be_denied(actor, session)
        return actor

    @staticmethod
    async def _must_not_be_denied(actor: Actor, session: AsyncSession) -> None:
        over = select(revoked_sessions.c.session_id).where(revoked_sessions.c.session_id == actor.session_id)
        if await session.scalar(over):
            raise TokenInvalid("This session was signed out: sign in again.")
        if actor.mandate is None:
            return
        revoked = select(revoked_mandates.c.mandate_id).where(revoked_mandates.c.mandate_id == actor.mandate.mandate_id)
        if await session.scalar(revoked):
            raise TokenInvalid("This mandate was revoked.")

    async def claims(self, token: str, session: AsyncSession, now: datetime, *, audience: str, longest: int) -> dict[str, Any]:
        """What a token says that registry signed for this audience. Raises TokenExpired or TokenInvalid."""
        if len(token) > longest:
            raise TokenInvalid()
        key = await self._key_of(token, session, now)
        try:
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
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

    async def _key_of(self, token: str, session: AsyncSession, now: datetime) -> OKPKey:
        try:
            header = json.loads(_decoded(token.split(".")[0]))
            key_id = str(header["kid"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise TokenInvalid() from None
        if key_id not in self._keys or abs(now - self._learned_at) > LOOKED_AGAIN:
            await self._learn(session)
            self._learned_at = now
        key, not_before, not_after = self._keys.get(key_id, (None, now, now))
        if key is None or not not_before - timedelta(seconds=LEEWAY) <= now <= not_after:
            raise TokenInvalid("The key of this token is not known here, or no longer valid: sign in again.")
        return key

    async def _learn(self, session: AsyncSession) -> None:
        for row in (await session.execute(select(signing_keys))).all():
            self._keys[row.key_id] = (OKPKey.import_key(json.loads(row.public_key)), row.not_before, row.not_after)


def _decoded(part: str) -> bytes:
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def public_jwk(key: OKPKey) -> str:
    """The public half of a signing key as JSON (RFC 7517)."""
    return json.dumps(key.as_dict(private=False), sort_keys=True)
