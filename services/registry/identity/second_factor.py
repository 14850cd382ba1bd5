"""The second factor: people set it up, change it, and show it for acts that bind the state."""

from uuid import UUID

from services.registry.identity.authenticators import Authenticators, recovery_code
from services.registry.identity.domain.second_factor import (
    RECOVERY_CODES,
    SecondFactor,
    SecondFactorNotOffered,
    SecondFactorRequired,
    SecondFactorWrong,
)
from services.registry.identity.domain.session import SignInFailed
from services.registry.identity.password_hashing import Passwords
from services.registry.identity.signing_keys import SigningKeys
from services.registry.identity.store import attempts, users
from services.registry.identity.store.second_factors import (
    find_second_factor,
    replace_recovery_codes,
    use_recovery_code,
    use_step,
)
from shared.contracts.registry.identity import GiveStepUp, StepUp
from shared.contracts.registry.second_factor import ConfirmSecondFactor, EnrolSecondFactor, RecoveryCodes, SecondFactorOffer
from shared.handling.router import Router
from shared.handling.work import Work
from shared.security.step_up import STEP_UP_LASTS, sign_step_up

router = Router()


@router.answers(EnrolSecondFactor)
async def enrol_second_factor(command: EnrolSecondFactor, work: Work) -> SecondFactorOffer:
    """A person asks for a second factor. The thief of a session alone, or of a password alone, gets none."""
    user_id = work.actor.must_have_id()
    user = await users.user_by_id(work, user_id)
    await attempts.count_attempt(work, attempts.of_account(user.email))
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
    await attempts.clear_attempts(work, attempts.of_account(user.email))

    authenticators = work.use(Authenticators)
    if factor is None:
        factor = SecondFactor(user_id=user_id)
        work.session.add(factor)
    factor.offered = factor.offered or authenticators.new_secret(user_id)  # the same secret when asked twice
    return SecondFactorOffer(otpauth=authenticators.otpauth(user_id, factor.offered, user.email))


@router.answers(ConfirmSecondFactor)
async def confirm_second_factor(command: ConfirmSecondFactor, work: Work) -> RecoveryCodes:
    """A person shows the first code of a new authenticator. From now on it is required, and the former one is void.

    The same code shown again gives new recovery codes: the person has lost the answer with the first ones.
    """
    user_id = work.actor.must_have_id()
    whose = attempts.of_person(user_id)
    await attempts.count_attempt(work, whose)
    await work.commit_so_far()
    factor = await find_second_factor(work, user_id)
    secret = (factor.offered or factor.sealed) if factor else None
    if factor is None or secret is None:
        raise SecondFactorNotOffered()
    step = work.use(Authenticators).step_of(user_id, secret, command.code, work.now)
    if step is None or (factor.offered is None and step != factor.last_step):
        raise SecondFactorWrong("code")
    await attempts.clear_attempts(work, whose)

    factor.confirm(secret, step)

    codes = [recovery_code() for _ in range(RECOVERY_CODES)]
    await replace_recovery_codes(work, user_id, codes)
    return RecoveryCodes(recovery_codes=tuple(codes))


@router.answers(GiveStepUp)
async def give_step_up(command: GiveStepUp, work: Work) -> StepUp:
    """An officer confirms a decision with a new code. Wrong codes delay the next ones, as wrong passwords do."""
    user_id = work.actor.must_have_id()
    whose = attempts.of_person(user_id)
    await attempts.count_attempt(work, whose)
    await work.commit_so_far()
    if not await shows_fresh_code(user_id, command.code, work):
        raise SecondFactorWrong("code")
    await attempts.clear_attempts(work, whose)

    decisions = [(decision.act, decision.digest) for decision in command.decisions]
    key = work.use(SigningKeys).at(work.now)
    token = sign_step_up(key, work.actor, decisions, audience=work.country, now=work.now, lasts=STEP_UP_LASTS)
    return StepUp(token=token, expires_at=work.now + STEP_UP_LASTS)


async def shows_fresh_code(user_id: UUID, code: str | None, work: Work) -> bool:
    """Uses a code of the person's authenticator. Returns False if it is wrong, expired, or was used already."""
    factor = await find_second_factor(work, user_id)
    if factor is None or factor.sealed is None or code is None or is_recovery_code(code):
        return False
    step = work.use(Authenticators).step_of(user_id, factor.sealed, code, work.now)
    return step is not None and await use_step(work, user_id, step)


def is_of_authenticator(code: str | None) -> bool:
    """Whether the person shows a code of an authenticator."""
    return code is not None and not is_recovery_code(code)


def is_recovery_code(code: str) -> bool:
    """Whether a code has the form of a recovery code."""
    return "-" in code
