"""The table of notices."""

from uuid import UUID

from sqlalchemy import Column, MetaData, String, Table, Text, Uuid, select

from shared.contracts.notices import NoticeState
from shared.handling.work import Work
from shared.refusals import Refused

TABLES = MetaData()

notices = Table(
    "notices",
    TABLES,
    Column("notice_id", Uuid, primary_key=True),
    Column("office", String(5), nullable=False),
    Column("text", Text, nullable=False),
)
keys = select(notices.c.notice_id)


class NoticeNotFound(Refused):
    code = "notice_not_found"


async def keep(work: Work, notice: NoticeState) -> None:
    """Stores a notice; idempotent."""
    await work.insert_new(notices, [notice.model_dump()])


async def notice_of(work: Work, notice_id: UUID) -> NoticeState:
    """The notice of an id. Raises NoticeNotFound."""
    found = (await work.session.execute(select(notices).where(notices.c.notice_id == notice_id))).mappings().first()
    if found is None:
        raise NoticeNotFound("notice_id")
    return NoticeState(**found)
