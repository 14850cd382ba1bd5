"""The exporter, or its agent, and the officers of the office write to each other about a certificate."""

from uuid import UUID

from services.certificates.content_views import thread_message
from services.certificates.domain.certificate import Certificate
from services.certificates.domain.message import Message, Side
from services.certificates.handlers.agents import must_be_of_exporter
from services.certificates.handlers.assigning import must_be_of_their_office
from services.certificates.handlers.reading import certificate_to_read
from services.certificates.store.certificates import certificate_by_id
from services.certificates.store.messages import count_messages, find_message, keep_message, messages_of
from services.certificates.views import message_sent
from shared.contracts.certificates.content import ListCertificateMessages, SendCertificateMessage, Thread
from shared.contracts.roles import Role
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()

OFFICERS = frozenset({Role.REVIEWER, Role.APPROVER})
PAGE = 25


@router.answers(SendCertificateMessage)
async def send_certificate_message(command: SendCertificateMessage, work: Work) -> Thread:
    """The exporter or an officer of its office writes about a certificate. The same message twice is one message."""
    certificate = await certificate_by_id(work, command.certificate_id)
    side = await side_of_actor(certificate, work)
    sender = work.actor.must_have_id()
    if sent := await find_message(work, command.message_id):
        sent.must_repeat(certificate.certificate_id, sender, command.text)
        return await thread_of(certificate.certificate_id, None, PAGE, work)

    message = Message(
        message_id=command.message_id,
        certificate_id=certificate.certificate_id,
        number=await count_messages(work, certificate.certificate_id) + 1,
        side=side,
        user_id=sender,
        at=work.now,
        text=command.text,
    )
    message.must_fit()
    certificate.last_message_by = side

    await keep_message(work, message)
    work.announce(message_sent(message, certificate))
    return await thread_of(certificate.certificate_id, None, PAGE, work)


@router.answers(ListCertificateMessages)
async def list_certificate_messages(question: ListCertificateMessages, work: Work) -> Thread:
    """What have exporter and officers written about this certificate?"""
    certificate = await certificate_to_read(question, work)
    return await thread_of(certificate.certificate_id, question.before, question.limit, work)


async def side_of_actor(certificate: Certificate, work: Work) -> Side:
    """The side for which the actor writes. Raises OtherOffice, NotYours, BegunByAnother."""
    if work.actor.roles & OFFICERS:
        must_be_of_their_office(certificate, work)
        return Side.MINISTRY
    await must_be_of_exporter(certificate, work)
    return Side.EXPORTER


async def thread_of(certificate_id: UUID, before: UUID | None, limit: int, work: Work) -> Thread:
    """A page of the messages about a certificate."""
    found, following = await messages_of(work, certificate_id, before, limit)
    return Thread(certificate_id=certificate_id, messages=[thread_message(each) for each in found], next=following)
