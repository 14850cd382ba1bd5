"""The second factor, and the acts that need it."""

import asyncio
from uuid import UUID, uuid4

import pyotp
import pytest
from sqlalchemy import select

from services.registry.identity.authenticators import Authenticators
from services.registry.identity.domain.attempts import FREE_ATTEMPTS
from services.registry.identity.tables import recovery_codes, second_factors
from shared.contracts.registry.identity import Decision, GiveStepUp, Session, StepUp
from shared.contracts.registry.second_factor import ConfirmSecondFactor, EnrolSecondFactor
from shared.contracts.registry.users import DeactivateOfficer, ListUsers, RemoveSecondFactor
from shared.security.step_up import digest_of
from tests.registry.people import Human, an_invitation, an_officer, somebody_of_a_company, the_administrator
from tests.support.service_under_test import ServiceUnderTest


@pytest.fixture
async def administrator(service: ServiceUnderTest) -> Human:
    return await the_administrator(service)


async def test_with_a_second_factor_a_password_alone_opens_no_session(administrator: Human) -> None:
    assert (await administrator.sign_in(code=None)).code == "second_factor_required"
    assert (await administrator.sign_in(code="000000")).code == "second_factor_wrong"
    assert isinstance(await administrator.sign_in(), Session)


async def test_no_code_is_accepted_twice_and_none_older_than_the_last(administrator: Human) -> None:
    code, earlier = administrator.code(), administrator.code(-1)
    assert isinstance(await administrator.sign_in(code=code), Session)
    for old in (code, earlier):
        assert (await administrator.sign_in(code=old)).code == "second_factor_wrong"


async def test_of_twenty_simultaneous_uses_of_one_code_one_succeeds(administrator: Human) -> None:
    command = an_invitation()
    answers = await asyncio.gather(*(administrator.step_up(command) for _ in range(FREE_ATTEMPTS - 1)))
    assert sum(isinstance(answer, StepUp) for answer in answers) == 1


@pytest.mark.parametrize(("ahead", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_an_authenticator_may_be_half_a_minute_off_and_no_more(administrator: Human, ahead: int, good: bool) -> None:
    administrator.later(120)
    assert isinstance(await administrator.sign_in(code=administrator.code(ahead)), Session) is good


async def test_a_recovery_code_opens_one_session(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    codes = await human.enrol()
    assert len(set(codes)) == 10
    assert isinstance(await human.sign_in(code=codes[0]), Session)
    assert (await human.sign_in(code=codes[0])).code == "second_factor_wrong"
    assert isinstance(await human.sign_in(code=codes[1]), Session)


async def test_neither_secrets_nor_recovery_codes_can_be_read_in_the_database(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    codes = await human.enrol()
    async with service.work() as work:
        factor = (await work.session.execute(select(second_factors))).one()
        hashes = (await work.session.scalars(select(recovery_codes.c.code_hash))).all()
    assert human.totp is not None
    assert human.totp.secret.encode() not in factor.sealed
    assert len(hashes) == 10
    assert not set(codes) & set(hashes)


async def test_a_sealed_secret_that_is_put_into_another_account_does_not_open(service: ServiceUnderTest) -> None:
    authenticators, owner = service.context.use(Authenticators), uuid4()
    sealed = authenticators.new_secret(owner)
    assert "otpauth" in authenticators.otpauth(owner, sealed, "a@b.example")
    with pytest.raises(ValueError, match="cannot be opened"):
        authenticators.step_of(uuid4(), sealed, "000000", service.clock.now())
    with pytest.raises(ValueError, match="cannot be opened"):
        Authenticators(bytes(32)).step_of(owner, sealed, "000000", service.clock.now())


async def test_a_session_alone_or_a_password_alone_cannot_change_the_second_factor(administrator: Human) -> None:
    for enrol, code in (
        (EnrolSecondFactor(password="wrong"), "sign_in_failed"),
        (EnrolSecondFactor(password=administrator.password), "second_factor_required"),
        (EnrolSecondFactor(password=administrator.password, code="000000"), "second_factor_wrong"),
    ):
        assert (await administrator.ask(enrol)).code == code
    assert isinstance(await administrator.sign_in(), Session)


async def test_a_code_of_the_old_authenticator_is_needed_until_the_new_one_is_confirmed(
    administrator: Human,
) -> None:
    old = administrator.totp
    offer = await administrator.ask(EnrolSecondFactor(password=administrator.password, code=administrator.code()))
    administrator.later()
    assert isinstance(await administrator.sign_in(), Session)
    administrator.totp = pyotp.parse_uri(offer.otpauth)
    assert (await administrator.ask(ConfirmSecondFactor(code=administrator.code()))).recovery_codes
    administrator.later()
    assert isinstance(await administrator.sign_in(), Session)
    administrator.totp = old
    administrator.later()
    assert (await administrator.sign_in()).code == "second_factor_wrong"


async def test_a_first_code_that_is_wrong_changes_nothing(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    assert (await human.ask(ConfirmSecondFactor(code="000000"))).code == "second_factor_not_offered"
    offered = await human.ask(EnrolSecondFactor(password=human.password))
    assert await human.ask(EnrolSecondFactor(password=human.password)) == offered  # the same offer after a lost answer
    assert (await human.ask(ConfirmSecondFactor(code="000000"))).code == "second_factor_wrong"
    assert isinstance(await human.sign_in(), Session)


async def test_a_binding_act_needs_a_confirmation_and_each_confirms_one_act(administrator: Human) -> None:
    invitation = an_invitation()
    assert (await administrator.ask(invitation)).code == "step_up_required"

    confirmed = (await administrator.step_up(invitation)).token

    assert (await administrator.ask(invitation, confirmed)).status == "invited"
    assert (await administrator.ask(invitation, confirmed)).status == "invited"  # the same command again: its stored answer
    once_more = invitation.model_copy(update={"command_id": uuid4()})
    assert (await administrator.ask(once_more, confirmed)).code == "step_up_used"


async def test_a_person_who_is_signed_in_reads_that_a_code_works_only_once(administrator: Human) -> None:
    code, decision = administrator.code(), Decision(act=an_invitation().subject, digest="0" * 64)
    assert isinstance(await administrator.sign_in(code=code), Session)

    for command in (
        GiveStepUp(code=code, decisions=[decision]),
        EnrolSecondFactor(password=administrator.password, code=code),
    ):
        refusal = await administrator.ask(command)
        assert (refusal.code, refusal.fields, refusal.values) == ("second_factor_used", ("code",), {"seconds": "30"})
    assert (await administrator.sign_in(code=code)).code == "second_factor_wrong"


async def test_an_act_that_was_refused_leaves_the_confirmation_as_it_was(administrator: Human) -> None:
    wrong = an_invitation(roles=["signatory"])
    confirmed = (await administrator.step_up(wrong)).token
    for _ in range(2):
        assert (await administrator.ask(wrong, confirmed)).code == "roles_not_yours_to_give"


async def test_a_confirmation_serves_no_other_content_class_person_or_session_and_for_a_minute_only(
    service: ServiceUnderTest, administrator: Human
) -> None:
    other = await an_officer(service, administrator, "administrator")
    target = uuid4()
    confirmed = (await administrator.step_up(DeactivateOfficer(user_id=target))).token
    administrator.later()

    assert (await administrator.ask(DeactivateOfficer(user_id=uuid4()), confirmed)).code == "step_up_invalid"
    assert (await administrator.ask(RemoveSecondFactor(user_id=target), confirmed)).code == "step_up_invalid"
    assert (await other.ask(DeactivateOfficer(user_id=target), confirmed)).code == "step_up_invalid"
    assert administrator.session is not None
    assert (await administrator.ask(DeactivateOfficer(user_id=target), administrator.session.token)).code == "step_up_invalid"
    for garbage in ("", "x", "a.b.c", "x" * 9000):
        code = (await administrator.ask(DeactivateOfficer(user_id=target), garbage)).code
        assert code in ("step_up_invalid", "step_up_required")
    assert (
        await administrator.ask(DeactivateOfficer(user_id=target), confirmed)
    ).code == "user_not_found"  # this confirmation is valid
    administrator.later(40)
    assert (await administrator.ask(DeactivateOfficer(user_id=target), confirmed)).code == "step_up_expired"
    await administrator.sign_in()
    administrator.later()
    confirmed = (await administrator.step_up(DeactivateOfficer(user_id=target))).token
    administrator.later()
    await administrator.sign_in()
    assert (await administrator.ask(DeactivateOfficer(user_id=target), confirmed)).code == "step_up_invalid"


async def test_a_confirmation_is_no_actor_token(service: ServiceUnderTest, administrator: Human) -> None:
    confirmed = (await administrator.step_up(an_invitation())).token
    assert (await service.ask_raw(ListUsers, b"{}", confirmed)).code == "token_invalid"


async def test_one_code_confirms_fifty_decisions_each_once(administrator: Human) -> None:
    invitations = [an_invitation() for _ in range(50)]
    confirmed = (await administrator.step_up(*invitations)).token
    for invitation in invitations:
        assert (await administrator.ask(invitation, confirmed)).status == "invited"
    repeated = invitations[7].model_copy(update={"command_id": uuid4()})
    assert (await administrator.ask(repeated, confirmed)).code == "step_up_used"


async def test_a_thief_of_a_session_cannot_guess_codes_for_long(administrator: Human) -> None:
    decision = Decision(act="cmd.officer.invite.v1", digest=digest_of(an_invitation()))
    codes = [(await administrator.ask(GiveStepUp(code=f"{n:06}", decisions=[decision]))).code for n in range(FREE_ATTEMPTS + 1)]
    assert codes == ["second_factor_wrong"] * FREE_ATTEMPTS + ["sign_in_delayed"]
    administrator.later(61)
    assert isinstance(await administrator.step_up(an_invitation()), StepUp)


async def test_nor_can_the_code_that_was_just_used_to_get_other_recovery_codes(administrator: Human) -> None:
    codes = [(await administrator.ask(ConfirmSecondFactor(code=f"{number:06}"))).code for number in range(FREE_ATTEMPTS + 1)]
    assert codes == ["second_factor_wrong"] * FREE_ATTEMPTS + ["sign_in_delayed"]


async def test_a_person_without_a_second_factor_cannot_confirm(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    decision = Decision(act="cmd.officer.invite.v1", digest="0" * 64)
    assert (await human.ask(GiveStepUp(code="000000", decisions=[decision]))).code == "second_factor_wrong"


def test_what_is_decided_is_every_field_and_the_class_but_not_the_id_of_the_command() -> None:
    one = an_invitation(user_id=UUID(int=1), email="a@b.example")
    same = one.model_copy(update={"command_id": uuid4()})
    assert digest_of(one) == digest_of(same)
    for field, value in (("user_id", UUID(int=2)), ("name", "B"), ("email", "c@b.example"), ("office", "SVR")):
        assert digest_of(one) != digest_of(one.model_copy(update={field: value}))
