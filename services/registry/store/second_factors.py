"""Second factors, as they are kept: sealed secrets, and hashes of recovery codes."""

from uuid import UUID

from sqlalchemy import delete, insert, update

from services.registry.domain.second_factor import SecondFactor
from services.registry.store.links import hashed
from services.registry.store.tables import recovery_codes, second_factors
from shared.handling.work import Work


async def find_second_factor(work: Work, user_id: UUID) -> SecondFactor | None:
    """The second factor of a person, or None."""
    return await work.session.get(SecondFactor, user_id, with_for_update=work.may_write)


async def is_unused_step(work: Work, user_id: UUID, step: int) -> bool:
    """Notes that the code of a step was used; says whether neither it nor a later one had been."""
    mine = second_factors.c.user_id == user_id, second_factors.c.last_step < step
    used = update(second_factors).where(*mine).values(last_step=step).returning(second_factors.c.user_id)
    return bool((await work.session.execute(used)).all())


async def use_recovery_code(work: Work, user_id: UUID, code: str) -> bool:
    """Uses a recovery code, which can be done once; says whether it was good."""
    mine = recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == hashed(code)
    used = delete(recovery_codes).where(*mine).returning(recovery_codes.c.code_hash)
    return bool((await work.session.execute(used)).all())


async def keep_recovery_codes(work: Work, user_id: UUID, codes: list[str]) -> None:
    """These are the recovery codes from now on, and no others."""
    await work.session.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    if codes:
        rows = [{"user_id": user_id, "code_hash": hashed(code)} for code in codes]
        await work.session.execute(insert(recovery_codes), rows)


async def forget_second_factor(work: Work, user_id: UUID) -> None:
    """The person has no second factor any more."""
    await keep_recovery_codes(work, user_id, [])
    await work.session.execute(delete(second_factors).where(second_factors.c.user_id == user_id))
