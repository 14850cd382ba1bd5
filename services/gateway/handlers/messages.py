"""Messages about documents that were exchanged before. Those about one document are sent in the order of their acts."""

from typing import ClassVar
from uuid import UUID, uuid4

from services.gateway import store
from services.gateway.domain import OutgoingMessage
from services.gateway.handlers.observing import receipt_of
from services.gateway.handlers.sending import details_of
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.messages import Kind, WireModel
from services.gateway.wire.profile import CONTENTS
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work
from shared.refusals import Refused, Unavailable

router = Router()


class SendMessage(Task):
    """Sends the oldest waiting message about a document. It is retried without limit."""

    kind: ClassVar[str] = "send_message"
    receiver: str
    reference: str


class MessageNotTaken(Refused):
    code = "message_not_taken"


def send_later(work: Work, kind: Kind, content: WireModel, *, receiver: str, reference: str, number: int) -> UUID:
    """Stores a message about a document, and sends it after those before it. Returns its id."""
    message = OutgoingMessage(uuid4(), receiver, reference, number, kind.value, content.model_dump_json(), work.now)
    work.session.add(message)
    work.later(SendMessage(receiver=receiver, reference=reference), key=f"{receiver}/{reference}")
    return message.message_id


@router.due(SendMessage)
async def send_message(task: SendMessage, work: Work) -> None:
    """The partner receives the message. A refusal is stored, and an operator must check it."""
    message = await store.next_message(work, task.receiver, task.reference)
    if message is None:
        return
    await must_be_preceded(message, work)
    exchange, kind = work.use(Exchange), Kind(message.kind)
    envelope = exchange.envelope(message.message_id, kind, message.receiver, message.reference, message.number, work.now)
    content = CONTENTS[kind].model.model_validate_json(message.content)

    attempt = await work.between_transactions(exchange.try_to_send, envelope, content)

    receipt = await receipt_of(attempt, work)
    message = await store.next_message(work, task.receiver, task.reference)
    if message is None or message.message_id != envelope.message_id:
        return  # another replica has recorded the receipt
    message.answered_at = receipt.received_at
    message.reasons = [reason.model_dump(exclude_none=True) for reason in receipt.reasons]
    work.later(task, key=f"{task.receiver}/{task.reference}")
    if receipt.reasons:
        await work.commit_so_far()
        raise MessageNotTaken(kind=kind.value, reasons=details_of(receipt.reasons) or "")


async def must_be_preceded(message: OutgoingMessage, work: Work) -> None:
    """Raises Unavailable while a message that comes before this one waits."""
    if message.kind == Kind.CUSTOMS_RESPONSE:
        inbound = await store.inbound_document(work, message.receiver, message.reference, message.number)
        if inbound.returned_at is None:
            raise Unavailable("the acknowledgement of the document was not received yet")
