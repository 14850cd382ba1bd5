"""What registry remembers: registrations with their documents, and users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Column, Date, Integer, MetaData, String, Table, Text, Uuid, insert, select
from sqlalchemy.orm import registry

from services.registry.domain import EmailTaken, Registration, RegistrationNotFound, Status, TaxNumberTaken, User
from shared.columns import Words
from shared.contracts.registry import SessionRevoked, SigningKeyPublished
from shared.tables import revoked_sessions, signing_keys
from shared.work import Work

TABLES = MetaData()

registrations = Table(
    "registrations",
    TABLES,
    Column("exporter_id", Uuid, primary_key=True),
    Column("company_name", String(200), nullable=False),
    Column("address", Text, nullable=False),
    Column("tax_number", String(20), nullable=False, unique=True),
    Column("status", Words(Status), nullable=False),
    Column("documents", JSON, nullable=False),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
)

users = Table(
    "users",
    TABLES,
    Column("user_id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),
    Column("organisation", String(40), nullable=False),
    Column("roles", JSON, nullable=False),
)

_mapping = registry(metadata=TABLES)
_mapping.map_imperatively(Registration, registrations)
_mapping.map_imperatively(User, users)


async def registration_by_id(work: Work, exporter_id: UUID) -> Registration:
    """The registration of an exporter. Raises RegistrationNotFound."""
    found = await find_registration(work, exporter_id)
    if found is None:
        raise RegistrationNotFound(f"There is no registration {exporter_id}.", "exporter_id")
    return found


async def find_registration(work: Work, exporter_id: UUID) -> Registration | None:
    """The registration of an exporter, or None."""
    return await work.session.get(Registration, exporter_id, with_for_update=work.may_write)


async def find_user(work: Work, user_id: UUID) -> User | None:
    """The user with this id, or None."""
    return await work.session.get(User, user_id)


async def find_user_by_email(work: Work, email: str) -> User | None:
    """The user with this e-mail address, or None."""
    return (await work.session.scalars(select(User).where(users.c.email == email))).first()


async def must_be_free(work: Work, *, email: str, tax_number: str | None = None) -> None:
    """Raises EmailTaken or TaxNumberTaken."""
    if await find_user_by_email(work, email) is not None:
        raise EmailTaken("", "email")
    if tax_number and await work.session.scalar(
        select(registrations.c.exporter_id).where(registrations.c.tax_number == tax_number)
    ):
        raise TaxNumberTaken("", "tax_number")


async def there_are_users(work: Work) -> bool:
    """Whether anybody has an account yet."""
    return await work.session.scalar(select(users.c.user_id).limit(1)) is not None


async def is_new_key(work: Work, key_id: str, public_key: str, not_before: datetime, not_after: datetime) -> bool:
    """Notes a signing key; says whether it was not known before."""
    known = await work.session.scalar(select(signing_keys.c.key_id).where(signing_keys.c.key_id == key_id))
    if known is None:
        row = {"key_id": key_id, "public_key": public_key, "not_before": not_before, "not_after": not_after}
        await work.session.execute(insert(signing_keys).values(row))
    return known is None


async def signing_key(work: Work, key_id: str) -> SigningKeyPublished:
    """What everybody must know of a signing key."""
    row = (await work.session.execute(select(signing_keys).where(signing_keys.c.key_id == key_id))).mappings().one()
    return SigningKeyPublished(**row, version=1, occurred_at=work.now)


async def revoked_session(work: Work, session_id: UUID) -> SessionRevoked:
    """What everybody must know of a session that is over."""
    row = (await work.session.execute(select(revoked_sessions).where(revoked_sessions.c.session_id == session_id))).mappings()
    return SessionRevoked(**row.one(), version=1, occurred_at=work.now)


key_ids = select(signing_keys.c.key_id)
revoked_session_ids = select(revoked_sessions.c.session_id)
active_registrations = select(registrations.c.exporter_id).where(registrations.c.status == Status.ACTIVE)
