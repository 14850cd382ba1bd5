"""The handlers of questions about transmissions, and of the acts of officers: hold, resume and send again."""

from collections.abc import Set
from uuid import uuid4

from services.gateway.cancellations import must_not_be_cancelled
from services.gateway.documents_store import kinds_of_certificate
from services.gateway.domain import E_FORM_D, Step, Transmission
from services.gateway.handlers.sending import TransmitDocument, begin
from services.gateway.kinds import DocumentKinds, is_exchanged
from services.gateway.ledger_store import outage_of
from services.gateway.offices import Offices
from services.gateway.store import transmissions_of, waiting_tasks
from services.gateway.wire.exchange import Exchange
from shared.contracts.gateway import transmissions as contracts
from shared.contracts.gateway.transmissions import (
    MAX_REASONS,
    MAX_STEP_DETAIL,
    GetTransmission,
    HoldTransmission,
    ResendTransmission,
    ResumeTransmission,
    StatusCode,
    TransmissionState,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()

Act = HoldTransmission | ResumeTransmission | ResendTransmission


@router.answers(GetTransmission)
async def get_transmission(question: GetTransmission, work: Work) -> TransmissionState:
    """Its exporter, its agent and officers read the steps of the transmissions of a certificate."""
    every = await transmissions_of(work, question.certificate_id, question.kind)
    work.actor.may_read(every[-1].exporter_id, *question.read_by)
    work.actor.must_have_begun(every[-1].agent_id)
    return await state_of(every, work)


@router.answers(HoldTransmission)
async def hold_transmission(command: HoldTransmission, work: Work) -> TransmissionState:
    """An officer holds a document that is not sent yet."""
    every = await of_their_office(work, command)
    every[-1].hold(command.reason)
    return await state_of(every, work)


@router.answers(ResumeTransmission)
async def resume_transmission(command: ResumeTransmission, work: Work) -> TransmissionState:
    """An officer lets a held document be sent."""
    every = await of_their_office(work, command)
    every[-1].resume()
    work.later(TransmitDocument(transmission_id=every[-1].transmission_id), key=every[-1].transmission_id)
    return await state_of(every, work)


@router.answers(ResendTransmission)
async def resend_transmission(command: ResendTransmission, work: Work) -> TransmissionState:
    """An officer sends a rejected document again. The new transmission has the next number."""
    every = await of_their_office(work, command)
    await must_not_be_cancelled(work, command.certificate_id)
    following = every[-1].again(uuid4())
    work.session.add(following)
    begin(following, work)
    return await state_of([*every, following], work)


async def of_their_office(work: Work, command: Act) -> list[Transmission]:
    """The transmissions of a document of the officer's office. Raises TransmissionNotFound, OtherOffice."""
    every = await transmissions_of(work, command.certificate_id, command.kind)
    work.use(Offices).must_allow(work.actor, every[-1].office)
    return every


async def state_of(every: list[Transmission], work: Work) -> TransmissionState:
    """The newest transmission of a certificate, with the steps of those before it."""
    *former, last = every
    kinds, added = work.use(DocumentKinds), await added_to(last, work)
    waiting = await waiting_tasks(work, TransmitDocument, [last.transmission_id])
    attempts, waits_because = waiting.get(last.transmission_id, (0, None))
    outage = await outage_of(work, last.destination) if last.code == StatusCode.AS1 else None
    return TransmissionState(
        certificate_id=last.certificate_id,
        reference=last.reference,
        destination=last.destination,
        number=last.number,
        steps=tuple(map(step_view, last.steps)),
        attempts=attempts,
        waits_because=last.held_because or waits_because,
        held=last.held_because is not None,
        out_since=outage.since if outage else None,
        former=tuple(contracts.FormerStep(number=each.number, step=step_view(step)) for each in former for step in each.steps),
        kind=last.kind,
        kind_name=dict(kinds.of(last.kind).rules.names),
        added=tuple(sorted(added)),
        can_add=addable(last, added, kinds, work),
        version=last.version,
    )


async def added_to(certificate: Transmission, work: Work) -> frozenset[str]:
    """The kinds of documents that were sent for a certificate besides itself."""
    if certificate.kind != E_FORM_D:
        return frozenset()
    return await kinds_of_certificate(work, certificate.certificate_id) - {E_FORM_D}


def addable(certificate: Transmission, added: Set[str], kinds: DocumentKinds, work: Work) -> tuple[str, ...]:
    """The kinds of documents that can be added to a certificate, that were not sent, and that the destination takes."""
    if certificate.kind != E_FORM_D or certificate.is_cancelled:
        return ()
    partners, country = work.use(Exchange).partners, certificate.destination
    wanted = (kind for kind in kinds if kind.rules.added_to_certificate and kind.code not in added)
    return tuple(kind.code for kind in wanted if is_exchanged(kind, partners, country, work.today))


def step_view(step: Step) -> contracts.Step:
    """A step as its exporter sees it. Values that were stored before the limits existed are cut."""
    return contracts.Step(
        code=StatusCode(step.code),
        at=step.at,
        country=step.country,
        reasons=tuple(step.reasons[:MAX_REASONS]),
        detail=step.detail and step.detail[:MAX_STEP_DETAIL],
    )
