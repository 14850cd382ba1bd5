"""Mandates: proposals, grants, tokens of agents, and revocations."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.registry.companies.domain.life_cycle import Status as RegistrationStatus
from services.registry.handlers import router
from services.registry.mandates.domain.mandate import ALLOWED, Act, Mandate, Side, Status
from services.registry.mandates.reference_data import MandateLimits
from shared.contracts.messages import Event
from shared.contracts.registry.identity import RevokeSession, SessionRevoked
from shared.contracts.registry.mandates import (
    AcceptMandate,
    ActingToken,
    ActUnderMandate,
    ExchangeApiKey,
    ListApiKeys,
    ListMandates,
    MakeApiKey,
    MandateGranted,
    MandateRevoked,
    ProposeMandate,
    RevokeApiKey,
    RevokeMandate,
)
from shared.contracts.registry.registrations import GetRegistration, SuspendRegistration
from shared.contracts.registry.users import ChangeColleagueRoles, DeactivateColleague, InviteColleague
from shared.handling.actor import Actor, Mandated
from shared.refusals import Refused
from tests.registry.builders import OFFICER, TODAY
from tests.registry.parties import A_YEAR, EVERYTHING, Parties, a_company, actor_of, code_of
from tests.registry.people import somebody_of_a_company
from tests.support.service_under_test import ServiceUnderTest


@pytest.mark.parametrize("first", ["exporter", "agent"])
async def test_a_mandate_is_granted_once_both_have_agreed_whichever_proposed_it(
    service: ServiceUnderTest, parties: Parties, first: str
) -> None:
    proposer, other = (parties.exporter, parties.agent) if first == "exporter" else (parties.agent, parties.exporter)
    proposal = parties.proposal()
    proposed = await proposer.administrator.ask(proposal)
    assert (proposed.status, proposed.waits_for) == ("proposed", "agent" if first == "exporter" else "exporter")
    acceptance = AcceptMandate(mandate_id=proposal.mandate_id)
    assert (await proposer.administrator.ask(acceptance)).code == "mandate_other_side_accepts"
    assert await service.announced(MandateGranted) == []

    granted = await other.administrator.ask(acceptance)

    assert (granted.status, granted.waits_for, granted.granted_at) == ("granted", None, service.clock.now())
    (announced,) = await service.announced(MandateGranted)
    assert (announced.exporter_id, announced.agent_id) == (parties.exporter.company_id, parties.agent.company_id)
    assert (announced.scope, announced.valid_until, announced.version) == (EVERYTHING, A_YEAR, 2)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"agent_tax_number": "NOBODY-123"}, "company_unknown", "agent_tax_number"),
        ({"exporter_tax_number": "NOBODY-123"}, "company_unknown", "exporter_tax_number"),
        ({"valid_until": TODAY - timedelta(days=1)}, "mandate_dates_wrong", "valid_until"),
        ({"valid_until": TODAY + timedelta(days=732)}, "mandate_dates_wrong", "valid_until"),
        ({"valid_until": TODAY}, None, None),
        ({"valid_until": TODAY + timedelta(days=731)}, None, None),
    ],
)
async def test_what_is_proposed_must_make_sense(parties: Parties, changes: dict[str, Any], code: str, field: str) -> None:
    answer = await parties.exporter.administrator.ask(parties.proposal(**changes))
    assert (getattr(answer, "code", None), getattr(answer, "fields", (None,))) == (code, (field,))


@pytest.mark.parametrize(
    "body",
    [
        {"scope": []},
        {"scope": ["approver"]},
        {"scope": ["company_administrator"]},
        {"scope": ["preparer", "signatory", "preparer"]},
        {"agent_tax_number": "x" * 10_000},
        {"valid_until": "the end"},
        {"for": "somebody"},
    ],
)
async def test_what_no_mandate_can_hold_is_refused_with_its_field(
    service: ServiceUnderTest, parties: Parties, body: dict[str, Any]
) -> None:
    session = parties.exporter.administrator.session
    assert session
    raw = ProposeMandate.__pydantic_serializer__.to_json(parties.proposal().model_copy(update=body), warnings=False)
    if "for" in body:
        raw = raw[:-1] + b',"for":"somebody"}'
    refusal = await service.ask_raw(ProposeMandate, raw, session.token)
    assert refusal.code == "malformed_request"
    assert next(iter(body)) in refusal.fields[0]


async def test_a_company_cannot_propose_for_others_or_to_itself(service: ServiceUnderTest, parties: Parties) -> None:
    third = await a_company(service)
    assert (await third.administrator.ask(parties.proposal())).code == "mandate_between_others"
    to_oneself = parties.proposal(agent_tax_number=parties.exporter.tax_number)
    assert (await parties.exporter.administrator.ask(to_oneself)).code == "mandate_with_oneself"
    proposal = parties.proposal()
    await parties.exporter.administrator.ask(proposal)
    again = parties.proposal(mandate_id=proposal.mandate_id, valid_until=TODAY)
    assert (await parties.agent.administrator.ask(again)).code == "mandate_id_taken"


async def test_a_third_company_learns_nothing_of_a_mandate(service: ServiceUnderTest, parties: Parties) -> None:
    mandate_id = await parties.mandate()
    key = await parties.key(mandate_id)
    third = (await a_company(service)).administrator
    for request in (
        AcceptMandate(mandate_id=mandate_id),
        RevokeMandate(mandate_id=mandate_id),
        ActUnderMandate(mandate_id=mandate_id),
        MakeApiKey(api_key_id=uuid4(), mandate_id=mandate_id, name="x"),
        ListApiKeys(mandate_id=mandate_id),
        RevokeApiKey(api_key_id=key.api_key_id),
    ):
        assert (await third.ask(request)).code == "mandate_not_found", request
    assert (await third.ask(ListMandates(company_id=parties.exporter.company_id))).code == "not_yours"


async def test_a_company_cannot_use_up_the_mandates_of_another(
    service: ServiceUnderTest, parties: Parties, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proposal counts for its own company alone, until the other accepts."""
    monkeypatch.setattr("services.registry.mandates.granting.MAX_MANDATES", 3)
    victim, stranger = parties.exporter, await a_company(service)
    unwanted = [parties.proposal(agent_tax_number=stranger.tax_number) for _ in range(4)]
    answers = [await stranger.administrator.ask(proposal) for proposal in unwanted]
    assert [getattr(answer, "code", "let in") for answer in answers] == ["let in"] * 3 + ["too_many_mandates"]

    for _ in range(3):
        await parties.mandate()

    assert (await victim.administrator.ask(parties.proposal())).code == "too_many_mandates"
    assert (await victim.administrator.ask(AcceptMandate(mandate_id=unwanted[0].mandate_id))).code == "too_many_mandates"


@pytest.mark.parametrize("status", [status for status in RegistrationStatus if status is not RegistrationStatus.ACTIVE])
async def test_an_unregistered_company_cannot_propose_and_learns_no_tax_number(
    service: ServiceUnderTest, parties: Parties, status: RegistrationStatus
) -> None:
    """Anybody can apply for registration, but an applicant cannot find the names and ids behind tax numbers."""
    stranger = await a_company(service, status)
    for exporter in (parties.exporter.tax_number, "K000-000000"):
        proposal = parties.proposal(exporter_tax_number=exporter, agent_tax_number=stranger.tax_number)
        assert (await stranger.administrator.ask(proposal)).code == "company_not_registered"


async def test_only_a_company_that_is_registered_can_be_an_agent(service: ServiceUnderTest, parties: Parties) -> None:
    proposal = parties.proposal()
    await parties.exporter.administrator.ask(proposal)
    suspended = SuspendRegistration(exporter_id=parties.agent.company_id, reason="The office is closed.")
    await service.ask(suspended, OFFICER)
    assert (await parties.agent.administrator.ask(AcceptMandate(mandate_id=proposal.mandate_id))).code == "agent_not_registered"


async def test_an_agent_whose_registration_is_suspended_gets_no_more_tokens(
    service: ServiceUnderTest, parties: Parties
) -> None:
    mandate_id = await parties.mandate()
    key = await parties.key(mandate_id)
    await service.ask(SuspendRegistration(exporter_id=parties.agent.company_id, reason="The office is closed."), OFFICER)
    assert (await parties.agent.administrator.ask(ActUnderMandate(mandate_id=mandate_id))).code == "agent_not_registered"
    assert (await service.ask(ExchangeApiKey(key=key.key))).code == "agent_not_registered"


async def test_both_companies_and_the_ministry_see_their_mandates_page_by_page(
    service: ServiceUnderTest, parties: Parties
) -> None:
    made = sorted([await parties.mandate() for _ in range(3)])
    for company in (parties.exporter, parties.agent):
        first = await company.administrator.ask(ListMandates(company_id=company.company_id, limit=2))
        rest = await company.administrator.ask(ListMandates(company_id=company.company_id, after=first.next))
        assert [mandate.mandate_id for mandate in (*first.mandates, *rest.mandates)] == made
    seen = await service.ask(ListMandates(company_id=parties.agent.company_id), OFFICER)
    assert [mandate.exporter_name for mandate in seen.mandates] == ["Angkor Garment Co., Ltd."] * 3


async def test_the_token_names_the_exporter_the_agent_and_the_roles(service: ServiceUnderTest, parties: Parties) -> None:
    mandate_id = await parties.mandate(scope=("preparer",))
    agent = parties.agent.administrator
    given = await agent.ask(ActUnderMandate(mandate_id=mandate_id))
    assert isinstance(given, ActingToken)
    assert given.roles == ("preparer",)
    actor = await actor_of(service, given.token)
    assert agent.session
    assert actor == Actor(
        user_id=agent.session.user_id,
        session_id=agent.session.session_id,
        organisation=str(parties.exporter.company_id),
        roles=frozenset({"preparer"}),
        mandate=Mandated(mandate_id, parties.agent.company_id),
    )
    assert given.expires_at == service.clock.now() + timedelta(minutes=15)


async def test_a_person_gets_only_the_roles_that_they_have_at_the_agent(service: ServiceUnderTest, parties: Parties) -> None:
    whole, signing = await parties.mandate(), await parties.mandate(scope=("signatory",))
    preparer = await somebody_of_a_company(service, "preparer", company=parties.agent.company_id)
    assert (await preparer.ask(ActUnderMandate(mandate_id=whole))).roles == ("preparer",)
    assert (await preparer.ask(ActUnderMandate(mandate_id=signing))).code == "mandate_outside_your_roles"
    clerk = await somebody_of_a_company(service, "company_administrator", company=parties.agent.company_id)
    assert (await clerk.ask(ActUnderMandate(mandate_id=whole))).code == "role_required"
    assert (await preparer.ask(RevokeMandate(mandate_id=whole))).code == "role_required"
    assert (await parties.exporter.administrator.ask(ActUnderMandate(mandate_id=whole))).code == "not_yours"


async def test_a_mandate_opens_nothing_of_registry(service: ServiceUnderTest, parties: Parties) -> None:
    """The exporter's registration, people, mandates and keys stay its own."""
    mandate_id = await parties.mandate()
    exporter = parties.exporter.company_id
    by_person = (await parties.agent.administrator.ask(ActUnderMandate(mandate_id=mandate_id))).token
    by_system = (await service.ask(ExchangeApiKey(key=(await parties.key(mandate_id)).key))).token
    for token in (by_person, by_system):
        for request in (
            GetRegistration(exporter_id=exporter),
            InviteColleague(user_id=uuid4(), name="Thief", email="thief@example.com", roles=["signatory"]),
            parties.proposal(),
            ActUnderMandate(mandate_id=mandate_id),
            MakeApiKey(api_key_id=uuid4(), mandate_id=mandate_id, name="x"),
            ListMandates(company_id=exporter),
            RevokeSession(),
        ):
            assert await code_of(service, token, request) == "outside_mandate", request


@pytest.mark.parametrize("who", ["exporter", "agent"])
async def test_either_side_revokes_and_every_token_is_refused_from_then_on(
    service: ServiceUnderTest, parties: Parties, who: str
) -> None:
    mandate_id = await parties.mandate()
    key = await parties.key(mandate_id)
    by_person = (await parties.agent.administrator.ask(ActUnderMandate(mandate_id=mandate_id))).token
    by_system = (await service.ask(ExchangeApiKey(key=key.key))).token
    company = parties.exporter if who == "exporter" else parties.agent

    revoked = await company.administrator.ask(RevokeMandate(mandate_id=mandate_id, reason="We part."))

    assert (revoked.status, revoked.reason, revoked.revoked_at) == ("revoked", "We part.", service.clock.now())
    for token in (by_person, by_system):
        assert await code_of(service, token, GetRegistration(exporter_id=uuid4())) == "token_invalid"
    assert (await parties.agent.administrator.ask(ActUnderMandate(mandate_id=mandate_id))).code == "mandate_not_allowed_now"
    assert (await service.ask(ExchangeApiKey(key=key.key))).code == "api_key_invalid"
    (announced,) = await service.announced(MandateRevoked)
    assert (announced.mandate_id, announced.version) == (mandate_id, 3)
    assert announced.until.date() > A_YEAR  # as long as it would have lasted: also a copy from before would not bring it back
    assert (await company.administrator.ask(RevokeMandate(mandate_id=mandate_id))).code == "mandate_not_allowed_now"


async def test_a_declined_proposal_is_not_announced(service: ServiceUnderTest, parties: Parties) -> None:
    proposal = parties.proposal()
    await parties.exporter.administrator.ask(proposal)
    declined = await parties.agent.administrator.ask(RevokeMandate(mandate_id=proposal.mandate_id))
    assert declined.status == "revoked"
    assert await service.announced(MandateRevoked) == []
    assert (
        await parties.agent.administrator.ask(AcceptMandate(mandate_id=proposal.mandate_id))
    ).code == "mandate_not_allowed_now"


async def test_a_mandate_ends_with_its_last_day_and_tokens_do_not_outlast_it(
    service: ServiceUnderTest, parties: Parties
) -> None:
    mandate_id = await parties.mandate(valid_until=TODAY)
    key = await parties.key(mandate_id)
    service.clock.instant = service.clock.instant.replace(hour=16, minute=50)  # ten to midnight in Phnom Penh
    await parties.agent.administrator.refresh()
    given = await parties.agent.administrator.ask(ActUnderMandate(mandate_id=mandate_id))
    assert given.expires_at == service.clock.now() + timedelta(minutes=10)
    assert given.expires_at.utcoffset() == timedelta()

    parties.agent.administrator.later(10 * 60)

    assert (await service.ask(ExchangeApiKey(key=key.key))).code == "api_key_invalid"
    assert (await parties.agent.administrator.ask(ActUnderMandate(mandate_id=mandate_id))).code == "mandate_ended"
    page = await parties.agent.administrator.ask(ListMandates(company_id=parties.agent.company_id))
    assert [mandate.status for mandate in page.mandates] == ["ended"]


async def test_the_token_of_a_person_does_not_outlast_their_session(service: ServiceUnderTest, parties: Parties) -> None:
    mandate_id = await parties.mandate()
    agent = parties.agent.administrator
    assert agent.session
    while agent.session.until - service.clock.now() > timedelta(minutes=5):
        agent.later(min(timedelta(days=6), agent.session.until - service.clock.now() - timedelta(minutes=5)).total_seconds())
        await agent.refresh()
    given = await agent.ask(ActUnderMandate(mandate_id=mandate_id))
    assert given.expires_at == agent.session.until == service.clock.now() + timedelta(minutes=5)


@pytest.mark.parametrize("how", ["signs out", "leaves", "other roles"])
async def test_a_person_whose_session_ended_at_the_agent_cannot_act_under_its_mandates(
    service: ServiceUnderTest, parties: Parties, how: str
) -> None:
    mandate_id = await parties.mandate()
    colleague = await somebody_of_a_company(service, "preparer", company=parties.agent.company_id)
    token = (await colleague.ask(ActUnderMandate(mandate_id=mandate_id))).token
    assert colleague.session
    user_id = colleague.session.user_id
    match how:
        case "signs out":
            await colleague.ask(RevokeSession())
        case "leaves":
            await parties.agent.administrator.ask(DeactivateColleague(user_id=user_id))
        case "other roles":
            await parties.agent.administrator.ask(ChangeColleagueRoles(user_id=user_id, roles=["signatory"]))
    assert await code_of(service, token, GetRegistration(exporter_id=uuid4())) == "token_invalid"


def a_mandate(status: Status) -> Mandate:
    mandate = Mandate(
        mandate_id=uuid4(),
        exporter_id=uuid4(),
        agent_id=uuid4(),
        scope=list(EVERYTHING),
        valid_until=A_YEAR,
        proposed_by=Side.EXPORTER,
    )
    if status is Status.GRANTED:
        do(mandate, Act.ACCEPT)
    if status is Status.REVOKED:
        do(mandate, Act.REVOKE)
    if status is Status.ENDED:
        mandate.valid_until = TODAY - timedelta(days=1)
    assert mandate.standing(TODAY) is status
    return mandate


def do(mandate: Mandate, act: Act) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    match act:
        case Act.ACCEPT:
            mandate.accept(Side.AGENT, now, TODAY)
        case Act.ACT:
            mandate.roles_of(frozenset(EVERYTHING), TODAY)
        case Act.REVOKE:
            mandate.revoke(None, now, TODAY)


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("status", Status)
def test_a_status_allows_what_the_table_says(status: Status, act: Act) -> None:
    mandate = a_mandate(status)
    if act in ALLOWED[status]:
        do(mandate, act)
    else:
        with pytest.raises(Refused, match=str(status) if status is not Status.ENDED else "ended on"):
            do(mandate, act)


def test_how_long_a_mandate_may_last_is_data() -> None:
    assert MandateLimits.load().longest_days(TODAY) == 731


async def test_what_is_announced_again_has_the_versions_of_before(service: ServiceUnderTest, parties: Parties) -> None:
    kept, over = await parties.mandate(), await parties.mandate()
    await parties.exporter.administrator.ask(RevokeMandate(mandate_id=over))
    before = await service.announced(MandateGranted) + await service.announced(MandateRevoked)
    _, announce = router.reannouncing["mandate"]
    async with service.work() as work:
        for mandate_id in (kept, over):
            await announce(mandate_id, work)

    again = (await service.announced())[-3:]
    assert [event.model_copy(update={"occurred_at": None}) for event in again] == [
        event.model_copy(update={"occurred_at": None}) for event in before
    ]


async def test_a_registry_restored_from_a_backup_brings_nothing_revoked_back(
    service: ServiceUnderTest, parties: Parties
) -> None:
    proposal = parties.proposal()
    await parties.exporter.administrator.ask(proposal)
    granted, unknown = await parties.mandate(), uuid4()
    key, other = await parties.key(granted), await parties.key(granted)
    parties_of = {"exporter_id": parties.exporter.company_id, "agent_id": parties.agent.company_id}
    announced = {"scope": EVERYTHING, "valid_until": A_YEAR, "version": 2, "occurred_at": service.clock.now()} | parties_of
    until = service.clock.now() + timedelta(days=400)
    over = {"until": until, "version": 3, "occurred_at": service.clock.now()}
    session = parties.agent.administrator.session
    assert session
    events: list[Event] = [
        MandateGranted(mandate_id=proposal.mandate_id, **announced),
        MandateGranted(mandate_id=unknown, **announced),
        SessionRevoked(session_id=other.api_key_id, **over),
        SessionRevoked(session_id=session.session_id, **over),
    ]
    async with service.work() as work:
        for event in events:
            await router.replay[type(event)](event, work)

    assert (await parties.agent.administrator.ask(ActUnderMandate(mandate_id=granted))).code == "session_over"
    assert (await parties.agent.administrator.refresh()).code == "session_over"
    await parties.agent.administrator.sign_in()
    for mandate_id in (granted, proposal.mandate_id, unknown):
        assert isinstance(await parties.agent.administrator.ask(ActUnderMandate(mandate_id=mandate_id)), ActingToken)
    assert isinstance(await service.ask(ExchangeApiKey(key=key.key)), ActingToken)
    assert (await service.ask(ExchangeApiKey(key=other.key))).code == "api_key_invalid"

    async with service.work() as work:
        for mandate_id in (granted, unknown, uuid4()):
            await router.replay[MandateRevoked](MandateRevoked(mandate_id=mandate_id, **over), work)
    for mandate_id in (granted, unknown):
        assert (await parties.agent.administrator.ask(ActUnderMandate(mandate_id=mandate_id))).code == "mandate_not_allowed_now"
    assert (await service.ask(ExchangeApiKey(key=key.key))).code == "api_key_invalid"
