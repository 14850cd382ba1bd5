"""The table of who may ask what is the one that the contracts make, and the services keep to it, cell by cell."""

from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import pytest

from services.fees.tariffs import Tariffs
from services.gateway.settings import data as gateway_data
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.partners import Partners
from services.gateway.wire.tls import Connections
from shared.contracts import permissions
from shared.contracts.index import contracts, owner_of
from shared.contracts.messages import Command, Question, Request
from shared.contracts.registry.mandates import AGENT_ROLES
from shared.contracts.roles import Role
from shared.handling.actor import Actor, Mandated
from tests.certificates.keys import certificate_tools
from tests.gateway.builders import a_signer
from tests.registry.people import a_registry
from tests.support.example_messages import example_of
from tests.support.service_under_test import ServiceUnderTest, a_person, a_service_under_test

COMPANY = {Role.COMPANY_ADMINISTRATOR, Role.PREPARER, Role.SIGNATORY}
REQUESTS = [kind for kind in contracts() if issubclass(kind, Request)]
ANSWERING = sorted({owner_of(kind) for kind in REQUESTS})


@pytest.fixture
async def service(name: str, tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    if name == "registry":
        async with a_registry(tmp_path) as service:
            yield service
        return
    router = import_module(f"services.{name}.handlers").router
    exchange = Exchange("KH", Partners({}), a_signer("KH"), Connections(None, None), 1024)
    tools = (*certificate_tools(), Tariffs.load(), *gateway_data(), exchange)
    async with a_service_under_test(name, router, tmp_path, *tools) as service:
        yield service


def a_new(kind: type[Request]) -> Request:
    """The example of a request, as nobody has asked it yet."""
    request = example_of(kind)
    return request.model_copy(update={"command_id": uuid4()}) if isinstance(request, Command) else request


def somebody(role: Role) -> Actor:
    return a_person(role, organisation=uuid4() if role in COMPANY else "PNH")


async def code_of(service: ServiceUnderTest, request: Request, person: Actor | None, *, confirmed: bool = True) -> str:
    """What a request is refused with; `let in` where it is not."""
    if confirmed:
        return getattr(await service.ask(request, person), "code", "let in")
    token = service.token_of(person) if person else None
    return getattr(await service.ask_raw(type(request), request.model_dump_json().encode(), token), "code", "let in")


def test_the_table_is_the_one_that_the_contracts_make() -> None:
    assert permissions.FILE.read_text() == permissions.as_text(), "run `make generate`"


@pytest.mark.slow
@pytest.mark.parametrize("name", ANSWERING)
async def test_every_cell_of_the_table_is_as_the_service_answers(service: ServiceUnderTest, name: str) -> None:
    wrong, tried = {}, 0
    for kind in (kind for kind in REQUESTS if owner_of(kind) == name):
        for role in Role:
            code = await code_of(service, a_new(kind), somebody(role))
            let_in = kind.anonymous or not kind.asked_by or role in kind.asked_by
            tried += 1
            if (code != "role_required") is not let_in or code in ("internal_error", "not_signed_in"):
                wrong[kind.__name__, role.value] = code
    assert wrong == {}
    assert tried == len(Role) * len([kind for kind in REQUESTS if owner_of(kind) == name])


@pytest.mark.parametrize("name", ANSWERING)
async def test_nobody_is_let_in_without_a_token_but_where_the_table_says_all(service: ServiceUnderTest, name: str) -> None:
    for kind in (kind for kind in REQUESTS if owner_of(kind) == name):
        assert (await code_of(service, a_new(kind), None) == "not_signed_in") is not kind.anonymous, kind


@pytest.mark.parametrize("name", ANSWERING)
async def test_what_is_to_be_confirmed_is_refused_without_and_nothing_else_is(service: ServiceUnderTest, name: str) -> None:
    for kind in (kind for kind in REQUESTS if owner_of(kind) == name and not kind.anonymous):
        role = min(kind.asked_by, default=Role.PREPARER)
        code = await code_of(service, a_new(kind), somebody(role), confirmed=False)
        assert (code == "step_up_required") is (issubclass(kind, Command) and kind.step_up), kind


@pytest.mark.parametrize("name", ANSWERING)
async def test_an_officer_without_a_second_factor_is_let_in_only_where_the_table_says_so(
    service: ServiceUnderTest, name: str
) -> None:
    for kind in (kind for kind in REQUESTS if owner_of(kind) == name and not kind.anonymous):
        enrolling = Actor(user_id=uuid4(), session_id=uuid4(), organisation="PNH", enrolling=True)
        assert (await code_of(service, a_new(kind), enrolling) == "second_factor_missing") is not kind.while_enrolling, kind


@pytest.mark.parametrize("name", ANSWERING)
async def test_under_a_mandate_is_let_in_only_what_the_table_says(service: ServiceUnderTest, name: str) -> None:
    every = frozenset(Role)  # no mandate gives as much: what is refused is refused whatever it gives
    for kind in (kind for kind in REQUESTS if owner_of(kind) == name and not kind.anonymous):
        agent = Actor(
            user_id=uuid4(), session_id=uuid4(), organisation=str(uuid4()), roles=every, mandate=Mandated(uuid4(), uuid4())
        )
        assert (await code_of(service, a_new(kind), agent) == "outside_mandate") is not kind.under_mandate, kind


def test_under_a_mandate_only_what_a_mandate_can_give_is_asked_for() -> None:
    for kind in REQUESTS:
        if kind.under_mandate:
            assert kind.asked_by & COMPANY <= AGENT_ROLES, kind
            assert not getattr(kind, "step_up", False), kind


def test_only_roles_with_a_second_factor_can_be_asked_for_a_confirmation() -> None:
    for kind in REQUESTS:
        if issubclass(kind, Command) and kind.step_up:
            assert kind.asked_by, kind
            assert not kind.asked_by & COMPANY, kind


def test_a_question_needs_no_confirmation() -> None:
    assert not [kind for kind in REQUESTS if issubclass(kind, Question) and hasattr(kind, "step_up")]
