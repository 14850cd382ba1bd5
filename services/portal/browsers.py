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
from shared.contracts.registry.identity import RefreshSession, Session
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

    async def begin(self, sealed: dict[str, Any], now: datetime) -> Browser:
        """A new session before the sign-in is complete. It keeps what the person has given so far."""
        return await self._insert(None, sealed, now + SIGNING_IN, now + SIGNING_IN)

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

    async def change_sealed(self, cookie: str, change: Callable[[dict[str, Any]], T]) -> T:
        """Changes what only the cookie opens. Two requests of a browser do this one after the other.

        `change` changes the content that it gets, and its answer is returned. Raises KeyError if the cookie is unknown.
        """
        this = browsers.c.key_hash == _key(cookie)
        async with self._database.writing() as transaction:
            row = (await transaction.session.execute(select(browsers).where(this).with_for_update())).first()
            opened = row and _opened(row, cookie)
            if not opened:
                raise KeyError("browser")
            answer = change(opened.sealed)
            await transaction.session.execute(update(browsers).where(this).values(sealed=_sealed(cookie, opened.sealed)))
        return answer

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
        sealed = browser.sealed | {"token": session.token, "refresh_token": session.refresh_token}
        sealed.pop("acting_token", None)
        person = browser.person and browser.person.model_copy(update={"roles": session.roles, "enrolling": session.enrolling})
        renewed = replace(browser, sealed=sealed, person=person, expires_at=session.expires_at)
        await self.save(renewed)
        return renewed


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
        "refreshing_until": None,
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
