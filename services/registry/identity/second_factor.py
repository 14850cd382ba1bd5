"""The second factor: people set it up, change it, and show it for acts that bind the state."""

from uuid import UUID

from services.registry.identity.authenticators import Authenticators, recovery_code
from services.registry.identity.domain.passkey import Challenged, must_be_good
from services.registry.identity.domain.second_factor import (
    RECOVERY_CODES,
    SecondFactor,
    SecondFactorNotOffered,
    SecondFactorWrong,
)
from services.registry.identity.proofs import must_prove, must_show_fresh_code, shows_passkey
from services.registry.identity.signing_keys import SigningKeys
from services.registry.identity.store import attempts
from services.registry.identity.store.second_factors import find_second_factor, has_second_factor, replace_recovery_codes
from shared.contracts.registry.identity import GiveStepUp, StepUp
from shared.contracts.registry.passkeys import RenewRecoveryCodes
from shared.contracts.registry.second_factor import ConfirmSecondFactor, EnrolSecondFactor, RecoveryCodes, SecondFactorOffer
from shared.handling.router import Router
from shared.handling.work import Work
from shared.security.step_up import STEP_UP_LASTS, sign_step_up

router = Router()


@router.answers(EnrolSecondFactor)
async def enrol_second_factor(command: EnrolSecondFactor, work: Work) -> SecondFactorOffer:
    """A person asks for an authenticator. The thief of a session alone, or of a password alone, gets none."""
    user = await must_prove(command, EnrolSecondFactor.subject, work)
    user_id, factor = user.user_id, await find_second_factor(work, user.user_id)

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

    return await new_recovery_codes(user_id, work)


@router.answers(RenewRecoveryCodes)
async def renew_recovery_codes(command: RenewRecoveryCodes, work: Work) -> RecoveryCodes:
    """A person gets new recovery codes, for example after the first passkey."""
    user = await must_prove(command, RenewRecoveryCodes.subject, work)
    if not await has_second_factor(work, user.user_id):
        raise SecondFactorNotOffered()
    return await new_recovery_codes(user.user_id, work)


@router.answers(GiveStepUp)
async def give_step_up(command: GiveStepUp, work: Work) -> StepUp:
    """An officer confirms decisions with a new code or a passkey. Wrong ones delay the next ones, as wrong passwords do."""
    user_id = work.actor.must_have_id()
    whose = attempts.of_person(user_id)
    await attempts.count_attempt(work, whose)
    await work.commit_so_far()
    decisions = [(decision.act, decision.digest) for decision in command.decisions]
    if command.passkey is not None:
        must_be_good(await shows_passkey(user_id, command.passkey, Challenged.step_up(user_id, decisions), work))
    else:
        await must_show_fresh_code(user_id, command.code, work)
    await attempts.clear_attempts(work, whose)

    key = work.use(SigningKeys).at(work.now)
    token = sign_step_up(key, work.actor, decisions, audience=work.country, now=work.now, lasts=STEP_UP_LASTS)
    return StepUp(token=token, expires_at=work.now + STEP_UP_LASTS)


async def new_recovery_codes(user_id: UUID, work: Work) -> RecoveryCodes:
    """New recovery codes of a person in place of the former ones."""
    codes = [recovery_code() for _ in range(RECOVERY_CODES)]
    await replace_recovery_codes(work, user_id, codes)
    return RecoveryCodes(recovery_codes=tuple(codes))
