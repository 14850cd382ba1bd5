"""The handlers of notices."""

from uuid import UUID, uuid4

from services.notices import store
from shared.contracts.notices import GetNotice, NoticePosted, NoticeState, PostNotice
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(PostNotice)
async def post_notice(command: PostNotice, work: Work) -> NoticeState:
    """An administrator posts a notice of an office."""
    notice = NoticeState(notice_id=uuid4(), office=command.office, text=command.text)
    await store.keep(work, notice)
    work.announce(posted(notice, work))
    return notice


@router.answers(GetNotice)
async def get_notice(question: GetNotice, work: Work) -> NoticeState:
    """What does this notice say?"""
    return await store.notice_of(work, question.notice_id)


@router.reannounces("notice", store.keys)
async def announce_notice(notice_id: UUID, work: Work) -> None:
    """Announces a notice again, for a listener that has lost it."""
    work.announce(posted(await store.notice_of(work, notice_id), work))


@router.on_replay(NoticePosted)
async def restore_notice(event: NoticePosted, work: Work) -> None:
    """Restores a notice that the database has lost."""
    await store.keep(work, NoticeState(notice_id=event.notice_id, office=event.office, text=event.text))


router.fact("posted", store.keys)


def posted(notice: NoticeState, work: Work) -> NoticePosted:
    """The event for listeners."""
    return NoticePosted(version=1, occurred_at=work.now, **notice.model_dump())
