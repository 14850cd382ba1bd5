"""Sends a written e-mail later, in a task."""

from typing import ClassVar

from services.registry.mail.transport import Email, Mailer
from shared.contracts.fields import Instant
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()


class SendEmail(Task):
    """Send an e-mail. The task stores its whole text, so that each attempt sends the same one."""

    kind: ClassVar[str] = "send_letter"
    letter_id: str
    to: str
    subject: str
    text: str
    written_at: Instant


@router.due(SendEmail)
async def send_email(task: SendEmail, work: Work) -> None:
    """Sends the e-mail. After a crash it may be sent twice, with the same Message-ID."""
    content = task.model_dump(exclude={"letter_id"})
    await work.between_transactions(work.use(Mailer).send, Email(message_id=task.letter_id, **content))


def send_later(email: Email, work: Work) -> None:
    """Leaves the e-mail to a task that starts after the commit."""
    content = {name: value for name, value in vars(email).items() if name != "message_id"}
    work.later(SendEmail(letter_id=email.message_id, **content), key=email.message_id)
