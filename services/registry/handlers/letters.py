"""Letters with one-time links: invitations and new passwords. What stands in a link is made as the letter is written."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from services.registry.domain.user import Status, User
from services.registry.post import Letter, Post
from services.registry.settings import Issuer
from services.registry.store import users
from services.registry.store.links import INVITATION, RESET, hashed, link_sent_at, new_link, note_sent
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()

ONE_LETTER_IN = timedelta(minutes=2)
"""How soon another link for the same is sent: nobody's mailbox is filled by a stranger."""

TEXTS = {
    INVITATION: (
        "ការអញ្ជើញឱ្យប្រើប្រព័ន្ធវិញ្ញាបនបត្រដើមកំណើត / Your account for certificates of origin",
        "សូមគោរព {name}\n\n"
        "លោកអ្នកត្រូវបានអញ្ជើញឱ្យប្រើប្រព័ន្ធវិញ្ញាបនបត្រដើមកំណើត។ សូមបើកតំណនេះក្នុងរយៈពេល ៧ ថ្ងៃ ដើម្បីកំណត់ពាក្យសម្ងាត់៖\n\n"
        "{link}\n\n"
        "Dear {name},\n\n"
        "you are invited to the system of certificates of origin. Open the link above within 7 days and choose a password.\n"
        "It works once. If you did not expect this letter, do nothing.\n",
    ),
    RESET: (
        "កំណត់ពាក្យសម្ងាត់ថ្មី / A new password",
        "សូមគោរព {name}\n\n"
        "សូមបើកតំណនេះក្នុងរយៈពេល ១ ម៉ោង ដើម្បីកំណត់ពាក្យសម្ងាត់ថ្មី៖\n\n"
        "{link}\n\n"
        "Dear {name},\n\n"
        "open the link above within one hour to choose a new password; it works once, and ends wherever you are signed in.\n"
        "If you did not ask for it, do nothing: your password stays as it is.\n",
    ),
}
"""Subject and text by purpose."""


class SendInvitation(Task):
    """Send somebody the link by which they choose a password. The link is in no table: it is made when it is sent."""

    kind: ClassVar[str] = "send_invitation"
    user_id: UUID


class SendPasswordReset(Task):
    """Send the link for another password, if there is such an account."""

    kind: ClassVar[str] = "send_password_reset"
    email: str


@router.due(SendInvitation)
async def send_invitation(task: SendInvitation, work: Work) -> None:
    """The letter with a fresh link, unless one is on its way already; the link before is void."""
    user = await users.user_by_id(work, task.user_id)
    if user.status is Status.INVITED:
        await send_link(user, INVITATION, work)


@router.due(SendPasswordReset)
async def send_password_reset(task: SendPasswordReset, work: Work) -> None:
    """The letter with a link for another password, unless one is on its way already."""
    user = await users.find_user_by_email(work, task.email)
    if user and user.may_sign_in:
        await send_link(user, RESET, work)


async def send_link(user: User, purpose: str, work: Work) -> None:
    """Makes the link, keeps its hash, and sends it; a letter that has just gone is not followed by another."""
    sent_at = await link_sent_at(work, user.user_id, purpose)
    if sent_at and sent_at >= work.now - ONE_LETTER_IN:
        return
    token = await new_link(work, user.user_id, purpose)
    subject, text = TEXTS[purpose]
    link = f"{work.use(Issuer).portal_address}/{purpose}#{token}"  # after #, so that it stands in no log of a web server
    letter = Letter(f"{purpose}-{hashed(token)[:20]}", user.email, subject, text.format(name=user.name, link=link), work.now)
    await work.between_transactions(work.use(Post).send, letter)
    await note_sent(work, token)
