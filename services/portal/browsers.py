"""The session of a browser. Its cookie is a secret that the database does not know: it encrypts the person's tokens."""

import asyncio
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, insert, select, update

from services.portal.bus import Bus
from services.portal.tables import browsers
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.registry.identity import RefreshSession, Session
from shared.contracts.registry.mandates import ActingToken, ActUnderMandate
from shared.contracts.roles import Role
from shared.database.engine import Database

T = TypeVar("T")
EARLY = timedelta(seconds=30)
"""How long before its end a token is exchanged."""
EXCHANGE = timedelta(seconds=10)
SIGNING_IN = timedelta(minutes=10)
"""How long a browser may take between the password and the code."""


class Person(BaseModel):
    """The person of a session, as the pages show them. `acting_for`: the exporter, if an agent acts under a mandate."""

    model_config = ConfigDict(frozen=True)
    user_id: UUID
    session_id: UUID
    organisation: str
    roles: tuple[Role, ...]
    name: str = ""
    company_name: str | None = None
    language: str | None = None
    enrolling: bool = False
    mandate_id: UUID | None = None
    acting_for: str | None = None

    def has(self, *roles: Role) -> bool:
        """Whether the person has one of these roles."""
        return bool(set(self.roles).intersection(roles))


@dataclass(frozen=True, kw_only=True)
class Browser:
    """A browser with its cookie. `person`: None before the sign-in. `sealed`: what only the cookie opens."""

    cookie: str
    person: Person | None
    sealed: dict[str, Any]
    expires_at: datetime
    until: datetime
    ended: bool = False

    def acting_under(self, token: ActingToken, exporter_name: str) -> "Browser":
        """The session of a person who acts for an exporter under a mandate. What is their own is kept."""
        own = self.as_oneself()
        assert own.person is not None
        kept = {"organisation": own.person.organisation, "roles": list(own.person.roles)}
        person = own.person.model_copy(
            update={
                "organisation": str(token.exporter_id),
                "roles": token.roles,
                "mandate_id": token.mandate_id,
                "acting_for": exporter_name,
            }
        )
        return replace(own, person=person, sealed=own.sealed | {"own": kept, "acting_token": token.token})

    def as_oneself(self) -> "Browser":
        """The session of a person who acts for their own company again."""
        own = self.sealed.get("own")
        if own is None or self.person is None:
            return self
        roles = tuple(Role(role) for role in own["roles"])
        mine = {"organisation": own["organisation"], "roles": roles, "mandate_id": None, "acting_for": None}
        sealed = {name: value for name, value in self.sealed.items() if name not in ("own", "acting_token")}
        return replace(self, person=self.person.model_copy(update=mine), sealed=sealed)


class Browsers:
    """The sessions of browsers in the database."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    async def find(self, cookie: str | None) -> Browser | None:
        """The session of a cookie, also if it has ended; None if it is unknown."""
        if not cookie or len(cookie) > 100:
            return None
        async with self._database.reading() as session:
            row = (await session.execute(select(browsers).where(browsers.c.key_hash == _key(cookie)))).first()
        return None if row is None else _opened(row, cookie)

    async def begin(self, sealed: dict[str, Any], now: datetime, lasts: timedelta = SIGNING_IN) -> Browser:
        """A new session before the sign-in is complete. It keeps what the person has given so far."""
        return await self._insert(None, sealed, now + lasts, now + lasts)

    async def sign_in(self, session: Session, person: Person) -> Browser:
        """A new session of a person. Its cookie is new, so a cookie from before the sign-in is worth nothing."""
        sealed = {"token": session.token, "refresh_token": session.refresh_token}
        return await self._insert(person, sealed, session.expires_at, session.until or session.expires_at)

    async def _insert(self, person: Person | None, sealed: dict[str, Any], expires_at: datetime, until: datetime) -> Browser:
        browser = Browser(cookie=secrets.token_urlsafe(32), person=person, sealed=sealed, expires_at=expires_at, until=until)
        async with self._database.writing() as transaction:
            await transaction.session.execute(insert(browsers).values(key_hash=_key(browser.cookie), **_row(browser)))
        return browser

    async def save(self, browser: Browser) -> None:
        """Stores a changed session."""
        async with self._database.writing() as transaction:
            changed = update(browsers).where(browsers.c.key_hash == _key(browser.cookie)).values(_row(browser))
            await transaction.session.execute(changed)

    async def change(self, cookie: str, changed: Callable[[Browser], Browser], *, exchanged: bool = False) -> Browser | None:
        """Changes the stored session of a cookie, whatever another request has done to it meanwhile; None if it is gone.

        `exchanged`: its token was exchanged, so that another request may exchange it the next time.
        """
        this = browsers.c.key_hash == _key(cookie)
        async with self._database.writing() as transaction:
            row = (await transaction.session.execute(select(browsers).where(this).with_for_update())).first()
            fresh = None if row is None else _opened(row, cookie)
            if fresh is None:
                return None
            browser = changed(fresh)
            free = {"refreshing_until": None} if exchanged else {}
            await transaction.session.execute(update(browsers).where(this).values(**_row(browser), **free))
            return browser

    async def end(self, browser: Browser) -> None:
        """Ends a session: its tokens are deleted. The person stays known, so that a form can still be saved for them."""
        await self.save(replace(browser, ended=True, sealed={}))

    async def with_valid_token(self, browser: Browser, now: datetime, address: str | None) -> Browser | None:
        """The session with a token that is still valid, exchanged if necessary; None if registry has ended it.

        Only one request of a browser exchanges its token (decision 0013); the others wait for it.
        """
        for _ in range(100):
            if browser.ended or browser.until <= now:
                return None
            if browser.expires_at > now + EARLY:
                return browser
            if await self._may_exchange(browser, now):
                return await self._exchanged(browser, address)
            await asyncio.sleep(0.1)
            found = await self.find(browser.cookie)
            if found is None:
                return None
            browser = found
        return None

    async def _may_exchange(self, browser: Browser, now: datetime) -> bool:
        free = browsers.c.refreshing_until.is_(None) | (browsers.c.refreshing_until < now)
        this = browsers.c.key_hash == _key(browser.cookie)
        stale = browsers.c.expires_at <= now + EARLY
        mine = update(browsers).where(this, free, stale).values(refreshing_until=now + EXCHANGE).returning(browsers.c.key_hash)
        async with self._database.writing() as transaction:
            return (await transaction.session.execute(mine)).first() is not None

    async def _exchanged(self, browser: Browser, address: str | None) -> Browser | None:
        refresh_token = browser.sealed.get("refresh_token")
        answer = None
        if refresh_token:
            answer = await self._bus.ask(RefreshSession(refresh_token=refresh_token, address=address), from_where=address)
        if answer is None or answer.session is None:
            await self.end(browser)
            return None
        session: Session = answer.session
        acting = await self._mandate_token(browser.person, session.token, address)
        return await self.change(browser.cookie, lambda fresh: _renewed(fresh, session, acting), exchanged=True)

    async def _mandate_token(self, person: Person | None, token: str, address: str | None) -> ActingToken | None:
        """The next token of the mandate under which a person acts; None if it is over, or if nobody answers."""
        if person is None or person.mandate_id is None:
            return None
        try:
            acting: ActingToken = await self._bus.ask(
                ActUnderMandate(mandate_id=person.mandate_id), token=token, from_where=address
            )
        except (AskRefused, NobodyAnswers):
            return None
        return acting


def _renewed(browser: Browser, session: Session, acting: ActingToken | None) -> Browser:
    """The session with its next tokens."""
    own = browser.as_oneself()
    sealed = own.sealed | {"token": session.token, "refresh_token": session.refresh_token}
    person = own.person and own.person.model_copy(update={"roles": session.roles, "enrolling": session.enrolling})
    renewed = replace(own, sealed=sealed, person=person, expires_at=session.expires_at)
    if acting is None or browser.person is None or browser.person.mandate_id != acting.mandate_id:
        return renewed
    return renewed.acting_under(acting, browser.person.acting_for or "")


def _key(cookie: str) -> str:
    return sha256(b"browser " + cookie.encode()).hexdigest()


def _cipher(cookie: str) -> AESGCM:
    return AESGCM(sha256(b"tokens " + cookie.encode()).digest())


def _sealed(cookie: str, content: dict[str, Any]) -> str:
    nonce = secrets.token_bytes(12)
    return urlsafe_b64encode(nonce + _cipher(cookie).encrypt(nonce, json.dumps(content).encode(), None)).decode()


def _row(browser: Browser) -> dict[str, Any]:
    return {
        "user_id": browser.person.user_id if browser.person else None,
        "person": browser.person.model_dump_json() if browser.person else None,
        "sealed": _sealed(browser.cookie, browser.sealed),
        "expires_at": browser.expires_at,
        "until": browser.until,
        "ended": browser.ended,
    }


def _opened(row: Row[Any], cookie: str) -> Browser | None:
    sealed = urlsafe_b64decode(row.sealed)
    try:
        content = json.loads(_cipher(cookie).decrypt(sealed[:12], sealed[12:], None))
    except InvalidTag:
        return None
    return Browser(
        cookie=cookie,
        person=Person.model_validate_json(row.person) if row.person else None,
        sealed=content,
        expires_at=row.expires_at,
        until=row.until,
        ended=row.ended,
    )
