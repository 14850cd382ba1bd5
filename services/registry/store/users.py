"""Users, as they are kept."""

from uuid import UUID

from sqlalchemy import select

from services.registry.domain.user import EmailTaken, User
from services.registry.store.tables import users
from shared.work import Work


async def find_user(work: Work, user_id: UUID) -> User | None:
    """The user with this id, or None."""
    return await work.session.get(User, user_id)


async def find_user_by_email(work: Work, email: str) -> User | None:
    """The user with this e-mail address, or None."""
    return (await work.session.scalars(select(User).where(users.c.email == email))).first()


async def there_are_users(work: Work) -> bool:
    """Whether anybody has an account yet."""
    return await work.session.scalar(select(users.c.user_id).limit(1)) is not None


async def email_must_be_free(work: Work, email: str) -> None:
    """Raises EmailTaken."""
    if await find_user_by_email(work, email) is not None:
        raise EmailTaken("", "email")
