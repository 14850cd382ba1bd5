"""Second factors: encrypted secrets of authenticators, passkeys, and hashes of recovery codes."""

from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, insert, select, update

from services.registry.identity.domain.second_factor import SecondFactor
from services.registry.identity.domain.secret_tokens import hashed
from services.registry.identity.tables import passkeys, recovery_codes, second_factors, users
from shared.handling.work import Work


async def find_second_factor(work: Work, user_id: UUID) -> SecondFactor | None:
    """The authenticator of a person, or None."""
    return await work.session.get(SecondFactor, user_id, with_for_update=work.may_write)


async def has_second_factor(work: Work, user_id: UUID) -> bool:
    """Whether a person has a confirmed authenticator or a passkey."""
    return bool(await work.session.scalar(select(shows_second_factor()).where(users.c.user_id == user_id)))


def shows_second_factor() -> ColumnElement[bool]:
    """Whether the person of a row of `users` has a confirmed authenticator or a passkey."""
    confirmed = second_factors.c.user_id == users.c.user_id, second_factors.c.sealed.is_not(None)
    authenticator = exists().where(*confirmed).correlate(users)
    return authenticator | exists().where(passkeys.c.user_id == users.c.user_id).correlate(users)


async def use_step(work: Work, user_id: UUID, step: int) -> bool:
    """Uses the code of a step. Returns False if it or a later one was used already."""
    unused = second_factors.c.user_id == user_id, second_factors.c.last_step < step
    used = update(second_factors).where(*unused).values(last_step=step).returning(second_factors.c.user_id)
    return bool((await work.session.execute(used)).all())


async def use_recovery_code(work: Work, user_id: UUID, code: str) -> bool:
    """Uses a recovery code. Returns False if it is wrong or was used already."""
    unused = recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == hashed(code)
    used = delete(recovery_codes).where(*unused).returning(recovery_codes.c.code_hash)
    return bool((await work.session.execute(used)).all())


async def replace_recovery_codes(work: Work, user_id: UUID, codes: list[str]) -> None:
    """Saves these recovery codes in place of the former ones."""
    await work.session.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    if codes:
        rows = [{"user_id": user_id, "code_hash": hashed(code)} for code in codes]
        await work.session.execute(insert(recovery_codes), rows)


async def delete_second_factor(work: Work, user_id: UUID) -> None:
    """Deletes the authenticator of a person, the passkeys and the recovery codes."""
    await replace_recovery_codes(work, user_id, [])
    await work.session.execute(delete(passkeys).where(passkeys.c.user_id == user_id))
    await work.session.execute(delete(second_factors).where(second_factors.c.user_id == user_id))
