"""An attacker has the portal's seed for the bus. Without a user's token almost every request is refused."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from joserfc.jwk import OKPKey
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout

from cli.commands.audit import audited
from cli.demo.people import Exporter, Person
from shared.bus.client import AskRefused, BusClient
from shared.bus.connection import connect
from shared.contracts import operations
from shared.contracts.certificates.cancelling import ListCancellationReasons
from shared.contracts.certificates.checking import ListBoxChecks
from shared.contracts.certificates.forms import ListForms
from shared.contracts.certificates.issuing import ApproveCertificate, GetCertificate
from shared.contracts.certificates.nomenclature import SearchNomenclature
from shared.contracts.certificates.origin import AssessOrigin
from shared.contracts.certificates.withdrawing import ListRejectionReasons
from shared.contracts.fees import GetTariff, ListInvoices, QuoteFee
from shared.contracts.index import SERVICES, contracts, events, operator_requests_to
from shared.contracts.messages import Request
from shared.contracts.registry.identity import GiveStepUp, ListSessions, RevokeSession, RevokeSessions
from shared.contracts.registry.passkeys import (
    AddPasskey,
    BeginPasskey,
    ChallengeSecondFactor,
    ChallengeStepUp,
    ListPasskeys,
    RemovePasskey,
    RenewRecoveryCodes,
)
from shared.contracts.registry.profiles import ChooseLanguage, GetProfile, NameUsers
from shared.contracts.registry.registrations import GetRegistration
from shared.contracts.registry.second_factor import ConfirmSecondFactor, EnrolSecondFactor
from shared.contracts.registry.users import InviteColleague, ListUsers
from shared.handling.actor import Actor
from shared.security.tokens import public_jwk, sign_token
from tests.conftest import eventually
from tests.stories.agents import Agent
from tests.stories.conftest import RunningSystem, to
from tests.support.example_messages import example_of

pytestmark = pytest.mark.slow

TOKEN_REFUSED = {"not_signed_in", "token_invalid", "token_expired"}
GUARDED = tuple(kind for kind in contracts() if issubclass(kind, Request) and not kind.anonymous)
OWN_DATA = {
    RevokeSession,
    RevokeSessions,
    ListSessions,
    EnrolSecondFactor,
    ConfirmSecondFactor,
    GiveStepUp,
    BeginPasskey,
    AddPasskey,
    ListPasskeys,
    RemovePasskey,
    RenewRecoveryCodes,
    ChallengeStepUp,
    ChallengeSecondFactor,
    ListUsers,
    InviteColleague,
    ChooseLanguage,
    GetProfile,
    NameUsers,
    ListInvoices,
}
"""Requests of every user about the own account or company, and of a company's administrator about its users."""
OF_NOBODY = {
    AssessOrigin,
    GetTariff,
    ListBoxChecks,
    ListCancellationReasons,
    ListForms,
    ListRejectionReasons,
    QuoteFee,
    SearchNomenclature,
}
"""Questions about the law: their answers contain nothing of any company."""
OFFICER = Actor(
    user_id=uuid4(),
    session_id=uuid4(),
    organisation="PNH",
    roles=frozenset({"registration_officer", "reviewer", "approver", "cashier", "administrator"}),
)


def part(content: dict[str, Any] | bytes) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, claims, signature = token.split(".")
    return *(json.loads(base64.urlsafe_b64decode(text + "==")) for text in (header, claims)), signature


def signed(key: OKPKey, **changed: Any) -> str:
    present = {"audience": "KH", "now": datetime.now(UTC), "lasts": timedelta(hours=1)}
    return sign_token(key, OFFICER, **present | changed)


def with_copied_kid(key: OKPKey) -> str:
    own = OKPKey.generate_key("Ed25519")
    header, claims, _ = parts_of(signed(own))
    unsigned = f"{part(header | {'kid': key.thumbprint()})}.{part(claims)}"
    return f"{unsigned}.{part(own.private_key.sign(unsigned.encode()))}"


def with_header(key: OKPKey, **changed: Any) -> str:
    header, claims, signature = parts_of(signed(key))
    return f"{part(header | changed)}.{part(claims)}.{signature}"


def with_the_public_key_as_secret(key: OKPKey) -> str:
    header, claims, _ = parts_of(signed(key))
    unsigned = f"{part(header | {'alg': 'HS256'})}.{part(claims)}"
    return f"{unsigned}.{part(hmac.digest(public_jwk(key).encode(), unsigned.encode(), hashlib.sha256))}"


def with_more_roles(key: OKPKey) -> str:
    header, claims, signature = parts_of(signed(key))
    return f"{part(header)}.{part(claims | {'roles': ['auditor', *claims['roles']]})}.{signature}"


FORGERIES: dict[str, Callable[[OKPKey], str | None]] = {
    "no token": lambda key: None,
    "an empty token": lambda key: ".",
    "another's key": lambda key: signed(OKPKey.generate_key("Ed25519")),
    "another's key under the known id": with_copied_kid,
    "expired": lambda key: signed(key, now=datetime.now(UTC) - timedelta(hours=9)),
    "for another country": lambda key: signed(key, audience="VN"),
    "algorithm none": lambda key: with_header(key, alg="none").rpartition(".")[0] + ".",
    "signed with the public key": with_the_public_key_as_secret,
    "more roles": with_more_roles,
    "key id as a path": lambda key: with_header(key, kid="../../secrets/registry"),
    "key id as an address": lambda key: with_header(
        key, kid="https://attacker.example/key", jku="https://attacker.example/key"
    ),
    "a key of its own in the header": lambda key: with_header(key, jwk=OKPKey.generate_key("Ed25519").as_dict(private=False)),
    "a huge key id": lambda key: with_header(key, kid="k" * 3000),
    "far too long": lambda key: signed(key) + "A" * 100_000,
}


@pytest_asyncio.fixture(loop_scope="package")
async def attacker(system: RunningSystem) -> AsyncIterator[Client]:
    client = await connect("portal", system.stack.nats_url, system.stack.seed("portal"))
    yield client
    await client.close()


@pytest.fixture
def registry_key(system: RunningSystem) -> OKPKey:
    """The key that registry signs with. The attacker does not have it."""
    return OKPKey.import_key(json.loads(system.stack.secrets.registry_signing_key.read_text()))


async def all_facts(system: RunningSystem) -> dict[str, Any]:
    """The facts of every service, after all have processed the announced events and the documents have arrived abroad."""
    found: dict[str, Any] = {}
    while True:
        await audited(system.operator, system.stack.services, patience=30)
        digests = [await system.operator.ask(operations.AskDigest(), service=service) for service in SERVICES]
        before, found = found, {digest.service: digest.facts for digest in digests}
        if found == before:
            return found
        await asyncio.sleep(0.5)


async def refusals(attacker: Client, token: str | None, kinds: tuple[type[Request], ...] = GUARDED) -> dict[str, str]:
    """The refusal code of each request; `accepted` if it is not refused."""
    bus, found = BusClient(attacker, patience=10), {}
    for kind in kinds:
        try:
            await bus.ask(example_of(kind), token=token)
            found[kind.__name__] = "accepted"
        except AskRefused as error:
            found[kind.__name__] = error.refusal.code
    return found


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_every_request_with_a_forged_token_is_refused(
    system: RunningSystem, attacker: Client, registry_key: OKPKey, forgery: str
) -> None:
    before = await all_facts(system)

    found = await refusals(attacker, FORGERIES[forgery](registry_key))

    assert {name: code for name, code in found.items() if code not in TOKEN_REFUSED} == {}
    assert len(found) == len(GUARDED) > 20
    assert await all_facts(system) == before


async def test_a_signed_out_token_is_refused_by_every_service(system: RunningSystem, attacker: Client) -> None:
    administrator = await Person.sign_in(system.portal, system.ministry.administrator.client.account)
    token = administrator.session.token
    await administrator.ask(RevokeSession())

    async def is_out_everywhere() -> bool:
        return set((await refusals(attacker, token)).values()) == {"token_invalid"}

    await eventually(is_out_everywhere, within=15)


async def test_an_exporters_token_gives_no_access_to_requests_of_officers_or_to_other_companies(
    system: RunningSystem, attacker: Client
) -> None:
    example = to("VN")
    exporter = await Exporter.register(system.portal, system.ministry, example)
    before = await all_facts(system)

    kinds = tuple(kind for kind in GUARDED if kind not in OWN_DATA | OF_NOBODY)
    found = await refusals(attacker, exporter.person.session.token, kinds)

    refused_for = {"role_required", "not_yours", "roles_not_yours_to_give", "password_not_yours_to_choose", "company_unknown"}
    missing = {name for name, code in found.items() if code.endswith("_not_found")}
    assert {name: code for name, code in found.items() if code not in refused_for and name not in missing} == {}
    assert await all_facts(system) == before


async def test_the_token_of_a_stolen_api_key_gives_no_access_beyond_its_mandate(
    system: RunningSystem, attacker: Client
) -> None:
    agent = await Agent.of(system, await system.journey(to("VN")))
    stolen = await agent.exchange(await agent.key())
    before = await all_facts(system)

    found = await refusals(attacker, stolen)

    beyond = {kind.__name__ for kind in GUARDED if not kind.under_mandate}
    assert {name for name, code in found.items() if code == "outside_mandate"} == beyond
    assert len(beyond) > 40
    of_others = {code for name, code in found.items() if name not in beyond and code != "accepted"}
    nouns = ("certificate", "invoice", "original", "product", "transmission")
    assert of_others <= {"not_yours", *(f"{noun}_not_found" for noun in nouns)}
    assert {name for name, code in found.items() if code == "accepted"} <= {
        "AssessOrigin",
        "ListBoxChecks",
        "ListCancellationReasons",
        "ListForms",
        "ListInvoices",
        "ListRejectionReasons",
        "NameUsers",
        "QuoteFee",
        "SearchNomenclature",
    }
    assert await all_facts(system) == before


async def test_a_stolen_portal_with_an_approvers_session_and_a_confirmation_approves_only_what_the_officer_confirmed(
    system: RunningSystem, attacker: Client
) -> None:
    journeys = [await system.journey(to("VN")) for _ in range(2)]
    for journey in journeys:
        await journey.submit()
        await system.prepare(journey)
    confirmed, other = (ApproveCertificate(certificate_id=journey.certificate_id) for journey in journeys)
    officer = system.ministry.approver.people[0]
    token, step_up = officer.session.token, await officer.client.step_up(confirmed)
    bus = BusClient(attacker, patience=10)

    for command, stolen, code in (
        (other, None, "step_up_required"),
        (other, step_up, "step_up_invalid"),
        (confirmed.model_copy(update={"version": 1}), step_up, "step_up_invalid"),
        (other, token, "step_up_invalid"),
    ):
        with pytest.raises(AskRefused, match=code):
            await bus.ask(command, token=token, step_up=stolen)
    await bus.ask(confirmed, token=token, step_up=step_up)
    with pytest.raises(AskRefused, match="step_up_used"):
        await bus.ask(ApproveCertificate(certificate_id=confirmed.certificate_id), token=token, step_up=step_up)

    assert (await journeys[0].issued()).reference
    state = await officer.ask(GetCertificate(certificate_id=other.certificate_id))
    assert state.status == "reviewed"
    await journeys[1].approve()
    await journeys[1].issued()


async def test_the_seed_gives_no_access_to_events_operations_or_the_stream(system: RunningSystem, attacker: Client) -> None:
    before = await all_facts(system)
    subjects = [event.subject for event in events()]
    subjects += [
        operation.subject.format(service=service) for service in SERVICES for operation in operator_requests_to(service)
    ]
    subjects += ["$JS.API.STREAM.DELETE.EVENTS", "$JS.API.STREAM.PURGE.EVENTS", "$JS.API.CONSUMER.DELETE.EVENTS.fees"]

    for subject in subjects:
        with pytest.raises((NatsTimeout, NoRespondersError)):
            await attacker.request(subject, b"{}", timeout=0.05)

    assert await all_facts(system) == before


@pytest.mark.parametrize("body", [b"", b"\xff" * 1000, b"{" * 500_000, b'{"a":' + b"1" * 900_000 + b"}"])
async def test_malformed_requests_are_refused_and_the_services_continue(
    system: RunningSystem, attacker: Client, body: bytes
) -> None:
    for kind in GUARDED:
        answer = json.loads((await attacker.request(kind.subject, body, timeout=10)).data)
        assert answer["refusal"]["code"] in ("malformed_request", "request_too_large")

    for service in SERVICES:
        assert (await system.operator.ask(operations.AskHealth(), service=service)).ready


async def test_the_seed_gives_access_to_answers_for_the_portal(system: RunningSystem, attacker: Client) -> None:
    """A remaining risk: the seed can subscribe to the portal's inbox. It must be protected like the portal."""
    received: list[bytes] = []

    async def record(message: Any) -> None:
        received.append(message.data)

    await attacker.subscribe("_INBOX_portal.>", cb=record)
    await attacker.flush()
    with pytest.raises(AskRefused):
        await system.portal.ask(GetRegistration(exporter_id=uuid4()))

    await eventually(lambda: any(b"not_signed_in" in data for data in received))
