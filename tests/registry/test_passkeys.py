"""Passkeys: people register them, sign in with them, confirm decisions with them, and remove them."""

import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from services.registry.identity.domain.attempts import FREE_ATTEMPTS
from services.registry.identity.domain.passkey import MAX_PASSKEYS
from services.registry.identity.second_factor_rules import SecondFactorRules
from services.registry.identity.sessions import DeleteExpired
from services.registry.identity.store.passkeys import count_passkeys
from services.registry.identity.tables import passkeys, recovery_codes, used_challenges
from shared.contracts.registry.identity import Decision, GiveStepUp, OpenSession, Session, StepUp
from shared.contracts.registry.passkeys import (
    AddPasskey,
    BeginPasskey,
    ChallengeSecondFactor,
    ChallengeSignIn,
    ChallengeStepUp,
    ListPasskeys,
    PasskeyOptions,
    PasskeyRemoved,
    PasskeyState,
    RemovePasskey,
    RenewRecoveryCodes,
)
from shared.contracts.registry.profiles import ChooseLanguage
from shared.contracts.registry.second_factor import EnrolSecondFactor
from shared.contracts.registry.users import DeactivateOfficer, ListUsers, RemoveSecondFactor
from shared.database.tables import audit_log
from shared.security.step_up import digest_of
from tests.registry.people import (
    FIRST_EMAIL,
    FIRST_PASSWORD,
    Human,
    an_invitation,
    an_officer,
    somebody_of_a_company,
    the_administrator,
)
from tests.support.service_under_test import ServiceUnderTest
from tests.support.software_passkey import PRESENT, SoftwarePasskey


@pytest.fixture
async def human(service: ServiceUnderTest) -> Human:
    """A person of a company with one passkey and no authenticator."""
    human = await somebody_of_a_company(service)
    human.passkey = await human.add_passkey()
    return human


async def response_for(human: Human, act: str, passkey: SoftwarePasskey | None = None) -> str:
    """The response that stands in a command in place of a code."""
    challenge = await human.ask(ChallengeSecondFactor(act=act))
    return (passkey or human.passkey).answered(challenge.options)


async def count(service: ServiceUnderTest, table: Any) -> int:
    async with service.work() as work:
        return await work.session.scalar(select(func.count()).select_from(table)) or 0


async def test_a_person_registers_a_passkey_and_signs_in_with_it(service: ServiceUnderTest, human: Human) -> None:
    assert isinstance(human.added, PasskeyState)
    assert (human.added.name, human.added.transports) == ("ទូរសព្ទ", ("hybrid", "internal"))

    assert (await human.sign_in()).fields == ("code", "passkey")
    assert (await human.sign_in()).code == "second_factor_required"
    assert isinstance(await human.sign_in_with(human.passkey), Session)

    listed = (await human.ask(ListPasskeys())).passkeys
    assert [(each.passkey_id, each.last_used_at) for each in listed] == [(human.added.passkey_id, service.clock.now())]
    async with service.work() as work:
        assert await count_passkeys(work, human.session.user_id) == 1


async def test_a_passkey_that_does_not_count_works_every_time(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    passkey = await human.add_passkey(SoftwarePasskey(count=None))
    for _ in range(2):
        assert isinstance(await human.sign_in_with(passkey), Session)


async def test_an_officer_may_set_up_a_passkey_alone(service: ServiceUnderTest) -> None:
    administrator = Human(service, FIRST_EMAIL, FIRST_PASSWORD)
    assert (await administrator.sign_in()).enrolling
    assert (await administrator.ask(ListPasskeys())).code == "second_factor_missing"

    passkey = await administrator.add_passkey()

    assert [user.has_second_factor for user in (await administrator.ask(ListUsers())).users] == [True]
    invitation = an_invitation()
    confirmed = await administrator.step_up_with(passkey, invitation)
    assert (await administrator.ask(invitation, confirmed.token)).status == "invited"


@pytest.mark.parametrize(
    "changes", [{"origin": "http://localhost:9999"}, {"rp_id": "evil.example"}, {"flags": PRESENT}, {"flags": 0}]
)
async def test_a_wrong_origin_domain_or_no_verification_of_the_user_is_refused(
    service: ServiceUnderTest, human: Human, changes: dict[str, Any]
) -> None:
    assert (await human.sign_in_with(replace(human.passkey, **changes))).code == "second_factor_wrong"

    begun = await human.ask(BeginPasskey(password=human.password, passkey=await response_for(human, BeginPasskey.subject)))
    refused = await human.ask(AddPasskey(name="x", response=SoftwarePasskey(**changes).created(begun.options)))

    assert (refused.code, refused.fields) == ("second_factor_wrong", ("response",))
    assert await count(service, passkeys) == 1


async def test_a_response_is_accepted_once_and_within_five_minutes(service: ServiceUnderTest, human: Human) -> None:
    challenge = await service.ask(ChallengeSignIn(email=human.email))
    response = human.passkey.answered(challenge.options)
    assert isinstance(await human.sign_in(passkey=response), Session)
    assert (await human.sign_in(passkey=response)).code == "second_factor_wrong"
    assert (await human.sign_in(passkey=human.passkey.answered(challenge.options))).code == "second_factor_wrong"

    late = await service.ask(ChallengeSignIn(email=human.email))
    human.later(300)
    assert (await human.sign_in(passkey=human.passkey.answered(late.options))).code == "second_factor_wrong"
    assert isinstance(await human.sign_in_with(human.passkey), Session)


async def test_of_simultaneous_uses_of_one_response_one_succeeds(service: ServiceUnderTest, human: Human) -> None:
    human.passkey.count = None
    async with service.work() as work:
        await work.session.execute(passkeys.update().values(sign_count=0))
    challenge = await service.ask(ChallengeSignIn(email=human.email))
    response = human.passkey.answered(challenge.options)
    answers = await asyncio.gather(*(human.sign_in(passkey=response) for _ in range(FREE_ATTEMPTS - 1)))
    assert sum(isinstance(answer, Session) for answer in answers) == 1


async def test_the_passkey_of_another_person_opens_nothing(service: ServiceUnderTest, human: Human) -> None:
    other = await somebody_of_a_company(service)
    theirs = await other.add_passkey()
    assert (await human.sign_in_with(theirs)).code == "second_factor_wrong"
    swapped = replace(theirs, credential_id=human.passkey.credential_id)
    assert (await human.sign_in_with(swapped)).code == "second_factor_wrong"

    challenge = await service.ask(ChallengeSignIn(email=other.email))
    assert (await human.sign_in(passkey=human.passkey.answered(challenge.options))).code == "second_factor_wrong"


async def test_a_counter_that_goes_back_is_refused_and_audited(service: ServiceUnderTest, human: Human) -> None:
    copy = replace(human.passkey)
    assert isinstance(await human.sign_in_with(human.passkey), Session)

    assert (await human.sign_in_with(copy)).code == "passkey_copied"

    copy.count = 1
    decision = an_invitation()
    assert (await human.step_up_with(copy, decision)).code == "passkey_copied"
    async with service.work() as work:
        outcomes = select(audit_log.c.act, audit_log.c.outcome).where(audit_log.c.outcome == "passkey_copied")
        assert {tuple(row) for row in await work.session.execute(outcomes)} == {
            ("OpenSession", "passkey_copied"),
            ("GiveStepUp", "passkey_copied"),
        }
    assert isinstance(await human.sign_in_with(human.passkey), Session)


async def test_garbage_is_a_wrong_passkey_and_counts(service: ServiceUnderTest, human: Human) -> None:
    for garbage in ("{}", '"\x00"', "ថ្មី", "[" * 16_384, '{"id":"AA","rawId":"AA"}'):
        assert (await human.sign_in(passkey=garbage)).code == "second_factor_wrong"
        assert (await human.ask(AddPasskey(name="x", response=garbage))).code == "second_factor_wrong"
    assert (await human.sign_in_with(human.passkey, address="203.0.113.7")).session_id  # the right one is still good

    for _ in range(FREE_ATTEMPTS):
        assert (await human.sign_in(code=None, password="wrong")).code == "sign_in_failed"
    assert (await human.sign_in(passkey="{}")).code == "sign_in_delayed"


async def test_an_oversized_response_and_two_second_factors_at_once_are_malformed(human: Human) -> None:
    body = {"email": human.email, "password": human.password}
    for wrong in ({"passkey": "x" * (16 * 1024 + 1)}, {"passkey": "{}", "code": "123456"}):
        raw = json.dumps(body | wrong).encode()
        assert (await human.service.ask_raw(OpenSession, raw, None)).code == "malformed_request"
    decisions = [{"act": "cmd.officer.invite.v1", "digest": "0" * 64}]
    for wrong in ({}, {"passkey": "{}", "code": "123456"}):
        raw = json.dumps({"decisions": decisions} | wrong).encode()
        assert (await human.service.ask_raw(GiveStepUp, raw, human.session.token)).code == "malformed_request"


async def test_a_stranger_learns_from_no_challenge_who_has_an_account(service: ServiceUnderTest, human: Human) -> None:
    answers = [await service.ask(ChallengeSignIn(email=email)) for email in (human.email, "nobody@company.example")]
    known, unknown = (json.loads(answer.options) for answer in answers)
    assert known.pop("challenge") != unknown.pop("challenge")
    assert known == unknown
    assert known["allowCredentials"] == []
    assert (await human.sign_in(password="wrong", passkey="{}")).code == "sign_in_failed"


async def test_an_officer_with_a_passkey_signs_in_during_a_delay(service: ServiceUnderTest) -> None:
    officer = await an_officer(service, await the_administrator(service))
    passkey = await officer.add_passkey(code=officer.code())
    for _ in range(FREE_ATTEMPTS + 1):
        await service.ask(OpenSession(email=officer.email, password="a wrong guess of it"))

    assert (await officer.sign_in(code=None)).code == "sign_in_delayed"
    assert (await officer.sign_in(code=None, passkey="{}")).code == "sign_in_delayed"
    assert isinstance(await officer.sign_in_with(passkey), Session)


async def test_a_passkey_confirms_the_decisions_of_its_challenge_and_no_others(service: ServiceUnderTest) -> None:
    administrator = await the_administrator(service)
    passkey = await administrator.add_passkey(code=administrator.code())
    asked, other = an_invitation(), an_invitation()
    decisions = [Decision(act=command.subject, digest=digest_of(command)) for command in (asked, other)]
    challenge = await administrator.ask(ChallengeStepUp(decisions=decisions[:1]))
    response = passkey.answered(challenge.options)

    for others in (decisions[1:], decisions):
        refused = await administrator.ask(GiveStepUp(passkey=response, decisions=others))
        assert (refused.code, refused.fields) == ("second_factor_wrong", ("passkey",))
    confirmed = await administrator.ask(GiveStepUp(passkey=response, decisions=decisions[:1]))

    assert isinstance(confirmed, StepUp)
    assert (await administrator.ask(other, confirmed.token)).code == "step_up_invalid"
    assert (await administrator.ask(asked, confirmed.token)).status == "invited"
    assert (await administrator.ask(GiveStepUp(passkey=response, decisions=decisions[:1]))).code == "second_factor_wrong"


async def test_a_response_for_one_purpose_serves_no_other(service: ServiceUnderTest, human: Human) -> None:
    decision = Decision(act="cmd.officer.invite.v1", digest="0" * 64)
    for_sign_in = human.passkey.answered((await service.ask(ChallengeSignIn(email=human.email))).options)
    for_enrolment = await response_for(human, EnrolSecondFactor.subject)
    for_step_up = human.passkey.answered((await human.ask(ChallengeStepUp(decisions=[decision]))).options)

    assert (await human.ask(GiveStepUp(passkey=for_sign_in, decisions=[decision]))).code == "second_factor_wrong"
    assert (await human.sign_in(passkey=for_step_up)).code == "second_factor_wrong"
    for response in (for_sign_in, for_enrolment, for_step_up):
        begin = BeginPasskey(password=human.password, passkey=response)
        assert (await human.ask(begin)).code == "second_factor_wrong"


async def test_a_session_alone_or_a_password_alone_registers_no_passkey(human: Human) -> None:
    for begin, code in (
        (BeginPasskey(password="wrong"), "sign_in_failed"),
        (BeginPasskey(password=human.password), "second_factor_required"),
        (BeginPasskey(password=human.password, code="000000"), "second_factor_wrong"),
    ):
        assert (await human.ask(begin)).code == code
    asked = BeginPasskey(password=human.password, passkey=await response_for(human, BeginPasskey.subject))
    assert isinstance(await human.ask(asked), PasskeyOptions)


async def test_a_challenge_for_a_new_passkey_serves_its_person_once(service: ServiceUnderTest) -> None:
    human, other = await somebody_of_a_company(service), await somebody_of_a_company(service)
    begun = await human.ask(BeginPasskey(password=human.password))
    response = SoftwarePasskey().created(begun.options)
    assert (await other.ask(AddPasskey(name="x", response=response))).code == "second_factor_wrong"
    command = AddPasskey(name="x", response=response)

    added = await human.ask(command)

    assert await human.ask(command) == added  # the answer was lost
    assert (await human.ask(AddPasskey(name="x", response=response))).code == "second_factor_wrong"


async def test_one_credential_is_registered_once(service: ServiceUnderTest, human: Human) -> None:
    other = await somebody_of_a_company(service)
    begun = await other.ask(BeginPasskey(password=other.password))
    response = replace(human.passkey).created(begun.options)
    assert (await other.ask(AddPasskey(name="x", response=response))).code == "passkey_taken"


async def test_a_person_has_at_most_ten_passkeys(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    begun = await human.ask(BeginPasskey(password=human.password))
    late = AddPasskey(name="x", response=SoftwarePasskey().created(begun.options))
    async with service.work() as work:
        row = {"user_id": human.session.user_id, "public_key": b"", "sign_count": 0, "name": "x", "transports": []}
        rows = [row | {"passkey_id": uuid4(), "credential_id": bytes([n])} for n in range(MAX_PASSKEYS)]
        await work.session.execute(passkeys.insert(), [each | {"created_at": service.clock.now()} for each in rows])

    assert (await human.ask(late)).code == "too_many_passkeys"
    assert len((await human.ask(ListPasskeys())).passkeys) == MAX_PASSKEYS


async def test_a_person_of_a_company_may_remove_the_last_passkey(service: ServiceUnderTest, human: Human) -> None:
    passkey_id = human.added.passkey_id
    bare = RemovePasskey(passkey_id=passkey_id, password=human.password)
    assert (await human.ask(bare)).code == "second_factor_required"
    unknown = bare.model_copy(update={"passkey": await response_for(human, bare.subject), "passkey_id": uuid4()})
    assert (await human.ask(unknown)).code == "passkey_not_found"

    shown = bare.model_copy(update={"passkey": await response_for(human, bare.subject)})

    assert isinstance(await human.ask(shown), PasskeyRemoved)
    assert isinstance(await human.sign_in(), Session)
    assert (
        await human.ask(ChallengeStepUp(decisions=[Decision(act=bare.subject, digest="0" * 64)]))
    ).code == "passkey_not_found"


async def test_the_last_second_factor_of_an_officer_stays(service: ServiceUnderTest) -> None:
    officer = Human(service, FIRST_EMAIL, FIRST_PASSWORD)
    await officer.sign_in()
    officer.passkey = await officer.add_passkey()
    remove = RemovePasskey(passkey_id=officer.added.passkey_id, password=officer.password)

    shown = remove.model_copy(update={"passkey": await response_for(officer, remove.subject)})
    assert (await officer.ask(shown)).code == "last_second_factor"
    assert (await officer.ask(ListPasskeys())).passkeys

    await officer.add_passkey(passkey=await response_for(officer, BeginPasskey.subject))
    shown = remove.model_copy(update={"passkey": await response_for(officer, remove.subject)})
    assert isinstance(await officer.ask(shown), PasskeyRemoved)


async def test_recovery_codes_replace_a_lost_passkey(service: ServiceUnderTest, human: Human) -> None:
    response = await response_for(human, RenewRecoveryCodes.subject)
    codes = (await human.ask(RenewRecoveryCodes(password=human.password, passkey=response))).recovery_codes

    assert isinstance(await human.sign_in(code=codes[0]), Session)
    assert (await human.sign_in(code=codes[0])).code == "second_factor_wrong"
    remove = RemovePasskey(passkey_id=human.added.passkey_id, password=human.password, code=codes[1])
    assert isinstance(await human.ask(remove), PasskeyRemoved)
    assert await count(service, recovery_codes) == 0
    assert (await human.ask(RenewRecoveryCodes(password=human.password))).code == "second_factor_not_offered"


@pytest.mark.parametrize("act", [RemoveSecondFactor, DeactivateOfficer])
async def test_an_administrator_removes_the_passkeys_of_an_officer(
    service: ServiceUnderTest, act: type[RemoveSecondFactor | DeactivateOfficer]
) -> None:
    administrator = await the_administrator(service)
    officer = await an_officer(service, administrator)
    await officer.add_passkey(code=officer.code())

    assert not (await administrator.confirm(act(user_id=officer.session.user_id))).has_second_factor

    assert await count(service, passkeys) == 0


async def test_signatories_need_a_second_factor_where_the_ministry_says_so(service: ServiceUnderTest) -> None:
    signatory, preparer = await somebody_of_a_company(service), await somebody_of_a_company(service, "preparer")
    service.context.add(SecondFactorRules([{"effective_from": "2020-01-01", "signatories": True}]))
    assert not (await preparer.sign_in()).enrolling
    session = await signatory.sign_in()
    assert (session.enrolling, session.roles) == (True, ())
    assert (await signatory.ask(ChooseLanguage(language="km"))).language == "km"
    assert (await signatory.refresh()).session.enrolling

    passkey = await signatory.add_passkey()

    assert not signatory.session.enrolling
    assert signatory.session.roles
    signed_in = await signatory.sign_in_with(passkey)
    assert signed_in.roles == signatory.session.roles


async def test_used_challenges_are_deleted_once_they_have_expired(service: ServiceUnderTest, human: Human) -> None:
    assert await count(service, used_challenges) == 1
    human.later(301)
    async with service.work() as work:
        await service.router.tasks[DeleteExpired](DeleteExpired(), work)
    assert await count(service, used_challenges) == 0
