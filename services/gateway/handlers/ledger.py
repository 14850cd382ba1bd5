"""The handlers of the ledger: officers look a message up, and its signature is verified again."""

import asyncio
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Row

from services.gateway.ledger_store import LISTED, SENT, find_message, messages_page, messages_with_id
from services.gateway.ledger_tables import messages
from services.gateway.outages import MessageNotFound, expired_before, kept_until
from services.gateway.wire.evidence import signer_of, text_of, verdict_on
from services.gateway.wire.exchange import XML_TYPE, Exchange
from shared.contracts.fields import MAX_CHUNK
from shared.contracts.gateway.ledger import (
    ExchangedMessage,
    ExchangedMessages,
    GetExchangedMessage,
    ListedMessage,
    ListExchangedMessages,
    ReadExchangedMessage,
)
from shared.contracts.messages import FileChunk
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work
from shared.operations.retention import delete_oldest

router = Router()


class PruneMessages(Task):
    """Deletes, once a day, messages that the law no longer requires."""

    kind: ClassVar[str] = "prune_messages"
    every: ClassVar[timedelta | None] = timedelta(days=1)


@router.due(PruneMessages)
async def prune_messages(task: PruneMessages, work: Work) -> None:
    """Deletes the oldest expired messages. If there are more, it runs again at once."""
    if await delete_oldest(work, messages, messages.c.at, expired_before(work.now, work.today)):
        work.later(task, key=PruneMessages.period_of(work.now).isoformat())


@router.answers(ListExchangedMessages)
async def list_exchanged_messages(question: ListExchangedMessages, work: Work) -> ExchangedMessages:
    """Officers list the messages of a certificate, of a partner, with an id, or all."""
    if question.message_id is not None:
        rows, following = await messages_with_id(work, question.message_id), None
    else:
        wanted = {"reference": question.reference, "partner": question.partner}
        rows, following = await messages_page(work, **wanted, after=question.after, limit=question.limit)
    return ExchangedMessages(messages=tuple(ListedMessage(**facts_of(row)) for row in rows), next=following)


@router.answers(GetExchangedMessage)
async def get_exchanged_message(question: GetExchangedMessage, work: Work) -> ExchangedMessage:
    """Officers read the facts of a message. Its signature is verified now."""
    row = await message_by_id(work, question.message_id, question.partner, question.ours)
    about = (row.message_id, row.kind, row.reference, row.number)
    verdict, sent_at = await asyncio.to_thread(verdict_on, row.compressed, row.size, row.certificate, about)
    return ExchangedMessage(
        **facts_of(row),
        sent_at=sent_at or row.sent_at,
        verdict=verdict,
        verified_at=work.now,
        signer=signer_of(row.certificate, is_pinned(row, work.use(Exchange))),
        size=row.size,
        kept_until=kept_until(row.at, work.today),
    )


@router.answers(ReadExchangedMessage)
async def read_exchanged_message(question: ReadExchangedMessage, work: Work) -> FileChunk:
    """Officers save the XML of a message as it was exchanged."""
    row = await message_by_id(work, question.message_id, question.partner, question.ours)
    try:
        text = text_of(row.compressed, row.size)
    except ValueError:
        raise MessageNotFound() from None
    return FileChunk(
        chunk=text[question.offset : question.offset + MAX_CHUNK],
        size=len(text),
        media_type=XML_TYPE,
    )


def facts_of(row: Row[Any]) -> dict[str, Any]:
    """What a list shows of a message."""
    return {name: row._mapping[name] for name in LISTED if name != "direction"} | {"ours": row.direction == SENT}


async def message_by_id(work: Work, message_id: UUID, partner: str, ours: bool) -> Row[Any]:
    """A stored message. Raises MessageNotFound."""
    row = await find_message(work, message_id, partner, ours)
    if row is None:
        raise MessageNotFound()
    return row


def is_pinned(row: Row[Any], exchange: Exchange) -> bool:
    """Whether the certificate of the signer is used today: ours, or one of those pinned for the partner."""
    if row.direction == SENT:
        present = [exchange.signer.certificate]
    else:
        partner = exchange.partners.find(row.partner)
        present = list(partner.signing_certificates) if partner else []
    return any(each.public_bytes(Encoding.DER) == row.certificate for each in present)
