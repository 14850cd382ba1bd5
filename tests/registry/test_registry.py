"""Who may ask: users, sessions, keys."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.registry.handlers import router
from shared.contracts.kinds import Refusal
from shared.contracts.registry.identity import (
    AddUser,
    OpenSession,
    RevokeSession,
    Role,
    Session,
    SessionRevoked,
    SigningKeyPublished,
)
from tests.desk import Desk, a_desk, a_person
from tests.registry.builders import PASSPHRASE, an_application, equipment


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk("registry", router, tmp_path, *equipment(tmp_path)) as desk:
        await desk.start()
        yield desk


async def sign_in(desk: Desk, email: str, password: str = PASSPHRASE) -> Any:
    return await desk.ask(OpenSession(email=email, password=password))


async def test_whoever_signs_in_gets_a_token_with_roles_and_organisation(desk: Desk) -> None:
    application = an_application()
    await desk.ask(application)

    session = await sign_in(desk, application.email)

    assert isinstance(session, Session)
    assert session.organisation == str(application.exporter_id)
    assert set(session.roles) == {Role.COMPANY_ADMINISTRATOR, Role.PREPARER, Role.SIGNATORY}
    assert session.token.count(".") == 2


async def test_a_wrong_password_and_an_unknown_person_are_told_the_same(desk: Desk) -> None:
    application = an_application()
    await desk.ask(application)

    assert await sign_in(desk, application.email, "wrong") == await sign_in(desk, "nobody@company.example", "wrong")


async def test_passwords_are_kept_as_argon2id(desk: Desk) -> None:
    from sqlalchemy import select

    from services.registry.store.tables import users

    await desk.ask(an_application())
    async with desk.work() as work:
        hashes = (await work.session.scalars(select(users.c.password_hash))).all()
    assert len(hashes) == 2
    assert all(kept.startswith("$argon2id$") and PASSPHRASE not in kept for kept in hashes)


async def test_the_first_administrator_is_appointed_once(desk: Desk) -> None:
    await desk.start()
    session = await sign_in(desk, "administrator@ministry.example", "first password of all")
    assert session.roles == (Role.ADMINISTRATOR,)


async def test_a_signing_key_is_published_once(desk: Desk) -> None:
    await desk.start()
    assert len(await desk.announced(SigningKeyPublished)) == 1


async def test_signing_out_is_told_to_every_service(desk: Desk) -> None:
    person = a_person("preparer")
    await desk.ask(RevokeSession(), person)
    (event,) = await desk.announced(SessionRevoked)
    assert event.session_id == person.session_id


def a_colleague(**changes: Any) -> AddUser:
    defaults: dict[str, Any] = {
        "user_id": uuid4(),
        "name": "Sok Vanna",
        "email": f"{uuid4().hex}@ministry.example",
        "password": PASSPHRASE,
        "roles": ["reviewer"],
        "office": "PNH",
    }
    return AddUser(**defaults | changes)


async def test_an_administrator_appoints_officers_of_an_office(desk: Desk) -> None:
    colleague = a_colleague(office="SVR")
    user = await desk.ask(colleague, a_person("administrator"))
    assert (user.organisation, user.roles) == ("SVR", (Role.REVIEWER,))
    assert await desk.ask(colleague, a_person("administrator")) == user


@pytest.mark.parametrize(
    ("roles", "by", "changes", "code"),
    [
        (["signatory"], "administrator", {}, "roles_not_yours_to_give"),
        (["approver"], "company_administrator", {}, "roles_not_yours_to_give"),
        (["reviewer"], "administrator", {"office": None}, "office_missing"),
        (["reviewer"], "reviewer", {}, "role_required"),
    ],
)
async def test_nobody_gives_roles_beyond_their_own_side(
    desk: Desk, roles: list[str], by: str, changes: dict[str, Any], code: str
) -> None:
    refused = await desk.ask(a_colleague(roles=roles, **changes), a_person(by, organisation=str(uuid4())))
    assert isinstance(refused, Refusal)
    assert refused.code == code
