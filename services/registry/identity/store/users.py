"""Users."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, select

from services.registry.identity.domain.user import EmailTaken, FormerIdTaken, Status, User, UserNotFound
from services.registry.identity.store.second_factors import shows_second_factor
from services.registry.identity.tables import users
from shared.handling.work import Work


async def find_user(work: Work, user_id: UUID) -> User | None:
    """The user with this id, or None."""
    return await work.session.get(User, user_id, with_for_update=work.may_write)


async def user_by_id(work: Work, user_id: UUID) -> User:
    """The user with this id. Raises UserNotFound."""
    found = await find_user(work, user_id)
    if found is None:
        raise UserNotFound("user_id")
    return found


async def find_user_by_email(work: Work, email: str) -> User | None:
    """The user with this e-mail address, or None."""
    return (await work.session.scalars(select(User).where(users.c.email == email))).first()


async def users_by_id(work: Work, user_ids: Iterable[UUID]) -> Sequence[User]:
    """The users with these ids. Unknown ids are left out."""
    return (await work.session.scalars(select(User).where(users.c.user_id.in_(user_ids)))).all()


async def there_are_users(work: Work) -> bool:
    """Whether there is any account yet."""
    return await work.session.scalar(select(users.c.user_id).limit(1)) is not None


async def email_must_be_free(work: Work, email: str) -> None:
    """Raises EmailTaken."""
    if await find_user_by_email(work, email) is not None:
        raise EmailTaken("email")


async def must_be_new(work: Work, user: User, at: str = "") -> None:
    """Raises UserIdTaken or EmailTaken. `at` is the path before the field."""
    if await find_user(work, user.user_id) is not None:
        raise FormerIdTaken(f"{at}former_id")
    if await find_user_by_email(work, user.email) is not None:
        raise EmailTaken(f"{at}email")


async def count_accounts_of(work: Work, organisation: str) -> int:
    """The number of active and invited accounts of a company."""
    theirs = users.c.organisation == organisation, users.c.status != Status.DEACTIVATED
    return await work.session.scalar(select(func.count()).select_from(users).where(*theirs)) or 0


async def users_of(work: Work, organisation: str | None, after: UUID | None, limit: int) -> list[tuple[User, bool]]:
    """A page of the users of a company, or of all offices, each with whether they have a second factor."""
    page = select(User, shows_second_factor())
    page = page.order_by(users.c.user_id).limit(limit)
    if after is not None:
        page = page.where(users.c.user_id > after)
    if organisation is not None:
        page = page.where(users.c.organisation == organisation)
    else:  # the id of a company is longer than the code of any office
        page = page.where(users.c.organisation.not_like("%-%"))
    return [(user, bool(has)) for user, has in (await work.session.execute(page)).all()]
