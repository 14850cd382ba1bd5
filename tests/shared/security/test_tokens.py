"""The actor token: what every service believes, and what it does not."""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey
from sqlalchemy import insert, make_url, update

from shared.database.engine import Database
from shared.database.tables import revoked_mandates, revoked_sessions, signing_keys
from shared.handling.actor import NOBODY, Actor, Mandated, NotSignedIn, NotYours, RoleRequired
from shared.security.tokens import TokenExpired, TokenInvalid, Tokens, public_jwk, sign_token
from tests.conftest import Databases
from tests.support.plumbing_stack import a_cashier

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY, OTHER = OKPKey.generate_key("Ed25519"), OKPKey.generate_key("Ed25519")
KEY_ID = KEY.thumbprint()
ACTOR = a_cashier()


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    opened = Database(make_url(databases.of("fees")))
    await trust(opened, KEY)
    yield opened
    await opened.close()


async def trust(database: Database, key: OKPKey, since: datetime = NOW - timedelta(days=1)) -> None:
    async with database.writing() as transaction:
        row = {"key_id": key.thumbprint(), "public_key": public_jwk(key)}
        validity = {"not_before": since, "not_after": since + timedelta(days=2)}
        await transaction.session.execute(insert(signing_keys).values(row | validity))


def a_token(key: OKPKey = KEY, actor: Actor = ACTOR, audience: str = "KH", at: datetime = NOW, minutes: float = 10) -> str:
    return sign_token(key, actor, audience=audience, now=at, lasts=timedelta(minutes=minutes))


async def actor_of(database: Database, token: str | None, now: datetime = NOW, tokens: Tokens | None = None) -> Actor:
    async with database.reading() as session:
        return await (tokens or Tokens("KH")).actor(token, session, now)


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def claims(**changed: Any) -> dict[str, Any]:
    present = {
        "iss": "registry",
        "aud": "KH",
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "org": "PNH",
        "roles": ["cashier"],
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 600,
    }
    return {name: value for name, value in (present | changed).items() if value is not None}


def signed(key: Any = KEY, algorithm: str = "Ed25519", kid: Any = KEY_ID, **changed: Any) -> str:
    header = {"alg": algorithm, "kid": kid}
    return jwt.encode(header, claims(**changed), key, algorithms=[algorithm])


def with_public_key_as_secret() -> str:
    return signed(OctKey.import_key(public_jwk(KEY).encode()), "HS256")


def unsigned(algorithm: str) -> str:
    return f"{part({'alg': algorithm, 'kid': KEY.thumbprint()})}.{part(claims())}."


def tampered() -> str:
    header, _, signature = a_token().split(".")
    return f"{header}.{part(claims(roles=['approver']))}.{signature}"


def with_own_key_in_header() -> str:
    header = {"alg": "Ed25519", "kid": KEY.thumbprint(), "jwk": OTHER.as_dict(private=False)}
    body = f"{part(header)}.{part(claims())}"
    return f"{body}.{a_token(OTHER).split('.')[2]}"


def without_its_mandate() -> str:
    """What a replica of a release without mandates reads: it passes over the claim."""
    acting = replace(ACTOR, organisation=str(uuid4()), mandate=Mandated(uuid4(), uuid4()))
    read = jwt.decode(a_token(actor=acting), KEY, algorithms=["Ed25519"]).claims
    del read["mandate"]
    return jwt.encode({"alg": "Ed25519", "kid": KEY_ID}, read, KEY, algorithms=["Ed25519"])


FORGED: dict[str, Callable[[], str]] = {
    "signed by an unknown key": lambda: a_token(OTHER),
    "signed by another key under a known id": lambda: signed(OTHER),
    "of another country": lambda: a_token(audience="VN"),
    "of no country": lambda: signed(aud=None),
    "of another issuer": lambda: signed(iss="portal"),
    "of no issuer": lambda: signed(iss=None),
    "that never expires": lambda: signed(exp=None),
    "without a beginning": lambda: signed(iat=None),
    "from the future": lambda: signed(iat=int(NOW.timestamp()) + 60),
    "not valid yet": lambda: signed(nbf=int(NOW.timestamp()) + 60),
    "without a person": lambda: signed(sub=None),
    "of a person that is none": lambda: signed(sub="admin"),
    "without a session": lambda: signed(sid=None),
    "without roles": lambda: signed(roles=None),
    "with roles that are none": lambda: signed(roles=7),
    "with one role that is a word": lambda: signed(roles="approver"),
    "with a mandate that is none": lambda: signed(mandate="all of them"),
    "with a mandate without an agent": lambda: signed(mandate={"id": str(uuid4()), "for": str(uuid4())}),
    "with a mandate without an id": lambda: signed(mandate={"agent": str(uuid4()), "for": str(uuid4())}),
    "with a mandate of nobody": lambda: signed(mandate={"id": str(uuid4()), "agent": str(uuid4())}),
    "with a mandate of many": lambda: signed(mandate=[{"id": str(uuid4()), "agent": str(uuid4()), "for": str(uuid4())}]),
    "with a mandate that is nothing": lambda: signed(mandate=False),
    "under a mandate, without its mandate": without_its_mandate,
    "with an expiry that is none": lambda: signed(exp="never"),
    "without a signature, none": lambda: unsigned("none"),
    "without a signature, None": lambda: unsigned("None"),
    "without a signature": lambda: unsigned("Ed25519"),
    "signed with the public key as a secret": with_public_key_as_secret,
    "with other claims": tampered,
    "with its own key": with_own_key_in_header,
    "with a strange key id": lambda: signed(kid="../../etc/passwd"),
    "with a key id that is a list": lambda: f"{part({'alg': 'Ed25519', 'kid': ['a']})}.{part(claims())}.x",
    "with a header that is a list": lambda: f"{part([])}.{part(claims())}.x",
    "with a header of many layers": lambda: urlsafe_b64encode(b"[" * 2900).decode() + ".x.x",
    "that is empty": lambda: "",
    "that is dots": lambda: "..",
    "that is a word": lambda: "bearer",
    "of other scripts": lambda: "ក.ខ.គ",
    "that is endless": lambda: "x" * 5000,
    "with a part too many": lambda: f"{a_token()}.x",
    "cut short": lambda: a_token()[:-4],
}


@pytest.mark.parametrize("what", FORGED)
async def test_a_token_is_not_believed(sqlite_databases: Databases, what: str) -> None:
    database = Database(make_url(sqlite_databases.of("fees")))
    await trust(database, KEY)
    try:
        with pytest.raises(TokenInvalid, match="sign in again"):
            await actor_of(database, FORGED[what]())
    finally:
        await database.close()


async def test_a_token_names_the_actor(database: Database) -> None:
    assert await actor_of(database, a_token()) == ACTOR


async def test_no_token_is_nobody(database: Database) -> None:
    assert await actor_of(database, None) is NOBODY


async def test_a_token_expires(database: Database) -> None:
    token = a_token(minutes=10)

    assert await actor_of(database, token, NOW + timedelta(minutes=9, seconds=59))
    assert await actor_of(database, token, NOW + timedelta(minutes=10, seconds=2))  # clocks differ a little
    with pytest.raises(TokenExpired):
        await actor_of(database, token, NOW + timedelta(minutes=10, seconds=6))


async def test_a_token_of_a_revoked_session_is_not_believed_any_more(database: Database) -> None:
    tokens = Tokens("KH")
    assert await actor_of(database, a_token(), tokens=tokens)
    async with database.writing() as transaction:
        row = {"session_id": ACTOR.session_id, "until": NOW + timedelta(hours=1)}
        await transaction.session.execute(insert(revoked_sessions).values(row))

    with pytest.raises(TokenInvalid, match="signed out"):
        await actor_of(database, a_token(), tokens=tokens)
    assert await actor_of(database, a_token(actor=a_cashier()), tokens=tokens)


async def test_keys_overlap_when_they_are_changed(database: Database) -> None:
    tokens = Tokens("KH")
    assert await actor_of(database, a_token(), tokens=tokens)
    await trust(database, OTHER, NOW - timedelta(hours=1))

    assert await actor_of(database, a_token(OTHER), tokens=tokens)
    assert await actor_of(database, a_token(KEY), tokens=tokens)


async def test_a_key_that_is_retired_before_its_time_is_not_believed_any_more_within_seconds(database: Database) -> None:
    tokens = Tokens("KH")
    assert await actor_of(database, a_token(), tokens=tokens)
    async with database.writing() as transaction:
        await transaction.session.execute(update(signing_keys).values(not_after=NOW - timedelta(minutes=1)))

    with pytest.raises(TokenInvalid, match="no longer valid"):
        await actor_of(database, a_token(), NOW + timedelta(seconds=11), tokens=tokens)


async def test_a_token_of_an_officer_without_a_second_factor_says_so(database: Database) -> None:
    enrolling = replace(ACTOR, organisation="PNH", roles=frozenset(), enrolling=True)
    assert await actor_of(database, a_token(actor=enrolling)) == enrolling


async def test_a_token_under_a_mandate_says_which_and_whose_and_is_not_believed_once_it_is_revoked(database: Database) -> None:
    tokens, under = Tokens("KH"), Mandated(uuid4(), uuid4())
    exporter = str(uuid4())
    agent = Actor(user_id=uuid4(), session_id=uuid4(), organisation=exporter, roles=frozenset({"preparer"}), mandate=under)
    other = replace(agent, mandate=Mandated(uuid4(), under.agent_id))
    for actor in (agent, other):
        assert await actor_of(database, a_token(actor=actor), tokens=tokens) == actor
    assert (agent.company, agent.agent_id) == (f"{under.agent_id} for {exporter}", under.agent_id)

    async with database.writing() as transaction:
        row = {"mandate_id": under.mandate_id, "until": NOW + timedelta(days=400)}
        await transaction.session.execute(insert(revoked_mandates).values(row))

    with pytest.raises(TokenInvalid, match="mandate was revoked"):
        await actor_of(database, a_token(actor=agent), tokens=tokens)
    assert await actor_of(database, a_token(actor=other), tokens=tokens) == other


@pytest.mark.parametrize("since", [NOW + timedelta(hours=1), NOW - timedelta(days=3)], ids=["too early", "too late"])
async def test_a_key_outside_its_time_is_not_believed(database: Database, since: datetime) -> None:
    await trust(database, OTHER, since)

    with pytest.raises(TokenInvalid):
        await actor_of(database, a_token(OTHER))


def test_an_actor_without_the_role_is_refused() -> None:
    ACTOR.must_be("cashier", "auditor")
    with pytest.raises(RoleRequired, match="approver, reviewer"):
        ACTOR.must_be("approver", "reviewer")


def test_an_actor_of_another_organisation_is_refused() -> None:
    company = uuid4()
    of_company = a_cashier(organisation=str(company), roles=frozenset({"preparer"}))
    of_company.must_act_for(company)
    of_company.may_read(company)
    ACTOR.may_read(company, "cashier")
    for refused in (lambda: of_company.must_act_for(uuid4()), lambda: of_company.may_read(uuid4(), "cashier")):
        with pytest.raises(NotYours):
            refused()


def test_nobody_has_no_id_no_session_and_no_organisation() -> None:
    for refused in (NOBODY.must_have_id, NOBODY.must_have_session):
        with pytest.raises(NotSignedIn):
            refused()
    with pytest.raises(NotYours):
        NOBODY.must_act_for(uuid4())
    assert NOBODY.name == "anonymous"
