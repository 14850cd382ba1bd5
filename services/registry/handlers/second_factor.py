"""The second factor: set up, changed, and shown for acts that bind the state."""

from uuid import UUID

from services.registry.authenticators import Authenticators, recovery_code
from services.registry.domain.second_factor import (
    RECOVERY_CODES,
    SecondFactor,
    SecondFactorNotOffered,
    SecondFactorRequired,
    SecondFactorWrong,
)
from services.registry.domain.session import SignInFailed
from services.registry.passwords import Passwords
from services.registry.settings import Issuer
from services.registry.store import tries, users
from services.registry.store.second_factors import find_second_factor, is_unused_step, keep_recovery_codes, use_recovery_code
from shared.contracts.registry.identity import GiveStepUp, StepUp
from shared.contracts.registry.second_factor import ConfirmSecondFactor, EnrolSecondFactor, RecoveryCodes, SecondFactorOffer
from shared.handling.router import Router
from shared.handling.work import Work
from shared.security.step_up import STEP_UP_LASTS, sign_step_up

router = Router()


@router.answers(EnrolSecondFactor)
async def enrol_second_factor(command: EnrolSecondFactor, work: Work) -> SecondFactorOffer:
    """A person asks for a second factor; whoever stole only their session, or only their password, does not get one."""
    user_id = work.actor.must_have_id()
    user = await users.user_by_id(work, user_id)
    await tries.count_try(work, tries.of_account(user.email))
    verdict = await work.between_transactions(work.use(Passwords).verify, user.password_hash, command.password)
    if not verdict.right:
        raise SignInFailed("password")
    user = await users.user_by_id(work, user_id)
    factor = await find_second_factor(work, user_id)
    if factor is not None and factor.confirmed:
        if command.code is None:
            raise SecondFactorRequired("code")
        recovered = is_recovery_code(command.code) and await use_recovery_code(work, user_id, command.code)
        if not recovered and not await shows_fresh_code(user_id, command.code, work):
            raise SecondFactorWrong("code")
    await tries.forget_tries(work, tries.of_account(user.email))

    authenticators = work.use(Authenticators)
    if factor is None:
        factor = SecondFactor(user_id)
        work.session.add(factor)
    factor.offered = factor.offered or authenticators.new_secret(user_id)  # asked twice, it is one
    return SecondFactorOffer(otpauth=authenticators.otpauth(user_id, factor.offered, user.email))


@router.answers(ConfirmSecondFactor)
async def confirm_second_factor(command: ConfirmSecondFactor, work: Work) -> RecoveryCodes:
    """The authenticator shows the right code: from now on it counts, and the one before does not.

    Asked again with the same code, because the answer was lost, there are new recovery codes: nobody saw the first.
    """
    user_id = work.actor.must_have_id()
    whose = tries.of_person(user_id)
    await tries.count_try(work, whose)
    await work.commit_so_far()
    factor = await find_second_factor(work, user_id)
    secret = (factor.offered or factor.sealed) if factor else None
    if factor is None or secret is None:
        raise SecondFactorNotOffered()
    step = work.use(Authenticators).step_of(user_id, secret, command.code, work.now)
    if step is None or (factor.offered is None and step != factor.last_step):
        raise SecondFactorWrong("code")
    await tries.forget_tries(work, whose)

    factor.sealed, factor.offered, factor.last_step = secret, None, step

    codes = [recovery_code() for _ in range(RECOVERY_CODES)]
    await keep_recovery_codes(work, user_id, codes)
    return RecoveryCodes(recovery_codes=tuple(codes))


@router.answers(GiveStepUp)
async def give_step_up(command: GiveStepUp, work: Work) -> StepUp:
    """An officer confirms with a fresh code what they have decided. Wrong codes are counted like wrong passwords."""
    user_id = work.actor.must_have_id()
    whose = tries.of_person(user_id)
    await tries.count_try(work, whose)
    await work.commit_so_far()
    if not await shows_fresh_code(user_id, command.code, work):
        raise SecondFactorWrong("code")
    await tries.forget_tries(work, whose)

    issuer, decisions = work.use(Issuer), [(decision.act, decision.digest) for decision in command.decisions]
    key, audience = issuer.keys.at(work.now), issuer.audience
    token = sign_step_up(key, work.actor, decisions, audience=audience, now=work.now, lasts=STEP_UP_LASTS)
    return StepUp(token=token, expires_at=work.now + STEP_UP_LASTS)


async def shows_fresh_code(user_id: UUID, code: str | None, work: Work) -> bool:
    """Whether this is what the person's authenticator shows about now, and was not shown before; it never is again."""
    factor = await find_second_factor(work, user_id)
    if factor is None or factor.sealed is None or code is None or is_recovery_code(code):
        return False
    step = work.use(Authenticators).step_of(user_id, factor.sealed, code, work.now)
    return step is not None and await is_unused_step(work, user_id, step)


def is_of_authenticator(code: str | None) -> bool:
    """Whether there is a code, of the kind that an authenticator shows."""
    return code is not None and not is_recovery_code(code)


def is_recovery_code(code: str) -> bool:
    """Whether a code is of the kind that is printed, and not of the kind that an authenticator shows."""
    return "-" in code
