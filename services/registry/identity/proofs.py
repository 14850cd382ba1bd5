"""What a person shows besides the session: the password, and a fresh code or a passkey."""

from uuid import UUID

from services.registry.identity.authenticators import Authenticators
from services.registry.identity.domain.passkey import Challenged, Shown, must_be_good
from services.registry.identity.domain.second_factor import (
    STEP,
    SecondFactorRequired,
    SecondFactorUsed,
    SecondFactorWrong,
)
from services.registry.identity.domain.session import SignInFailed
from services.registry.identity.domain.user import User
from services.registry.identity.password_hashing import Passwords
from services.registry.identity.relying_party import RelyingParty, read_assertion
from services.registry.identity.store import attempts, users
from services.registry.identity.store.passkeys import find_passkey_of, use_challenge
from services.registry.identity.store.second_factors import (
    find_second_factor,
    has_second_factor,
    use_recovery_code,
    use_step,
)
from shared.contracts.registry.identity import Proof
from shared.handling.work import Work


async def must_prove(proof: Proof, act: str, work: Work) -> User:
    """The person who asks, with the right password, and with a second factor if they have one.

    `act`: the subject of the command with the proof. Each wrong attempt counts. Raises SignInDelayed, SignInFailed,
    SecondFactorRequired, SecondFactorWrong, SecondFactorUsed, PasskeyCopied.
    """
    user_id = work.actor.must_have_id()
    user = await users.user_by_id(work, user_id)
    await attempts.count_attempt(work, attempts.of_account(user.email))
    verdict = await work.between_transactions(work.use(Passwords).verify, user.password_hash, proof.password)
    if not verdict.right:
        raise SignInFailed("password")
    user = await users.user_by_id(work, user_id)
    if await has_second_factor(work, user_id):
        await _must_show_second_factor(proof, Challenged.change(user_id, act), user_id, work)
    await attempts.clear_attempts(work, attempts.of_account(user.email))
    return user


async def _must_show_second_factor(proof: Proof, stated: Challenged, user_id: UUID, work: Work) -> None:
    if proof.passkey is not None:
        must_be_good(await shows_passkey(user_id, proof.passkey, stated, work))
    elif proof.code is None:
        raise SecondFactorRequired("code", "passkey")
    elif not is_recovery_code(proof.code):
        await must_show_fresh_code(user_id, proof.code, work)
    elif not await use_recovery_code(work, user_id, proof.code):
        raise SecondFactorWrong("code")


async def must_show_fresh_code(user_id: UUID, code: str | None, work: Work) -> None:
    """Uses a code of the authenticator of a person who is signed in. Raises SecondFactorWrong, SecondFactorUsed."""
    step = await _step_of(user_id, code, work)
    if step is None:
        raise SecondFactorWrong("code")
    if not await use_step(work, user_id, step):
        raise SecondFactorUsed("code", seconds=STEP)


async def shows_fresh_code(user_id: UUID, code: str | None, work: Work) -> bool:
    """Uses a code of the person's authenticator. Returns False if it is wrong, expired, or was used already."""
    step = await _step_of(user_id, code, work)
    return step is not None and await use_step(work, user_id, step)


async def _step_of(user_id: UUID, code: str | None, work: Work) -> int | None:
    """The step of a code of the person's authenticator. None if it is wrong or expired."""
    factor = await find_second_factor(work, user_id)
    if factor is None or factor.sealed is None or code is None or is_recovery_code(code):
        return None
    return work.use(Authenticators).step_of(user_id, factor.sealed, code, work.now)


async def shows_passkey(user_id: UUID, response: str, stated: Challenged, work: Work) -> Shown:
    """Uses a passkey of the person. It is good once, and only for a challenge that states this."""
    relying_party, now = work.use(RelyingParty), work.now
    read = read_assertion(response)
    until = relying_party.expiry_of(read, stated, now) if read else None
    passkey = await find_passkey_of(work, user_id, read.credential_id) if read and until else None
    if read is None or until is None or passkey is None:
        return Shown.WRONG
    sign_count = relying_party.sign_count_of(read, passkey)
    if sign_count is None or not await use_challenge(work, read.challenge, until):
        return Shown.WRONG
    return passkey.used(sign_count, now)


def is_of_authenticator(code: str | None) -> bool:
    """Whether the person shows a code of an authenticator."""
    return code is not None and not is_recovery_code(code)


def is_recovery_code(code: str) -> bool:
    """Whether a code has the form of a recovery code."""
    return "-" in code
