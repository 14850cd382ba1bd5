"""The handlers of notices and prints: an exporter gets one while the partner is out, and the register closes it afterwards."""

from datetime import timedelta
from typing import ClassVar

from services.gateway import ledger_store
from services.gateway.domain import Transmission
from services.gateway.ledger_store import contingencies_page, contingency_of, next_serial, outage_of, skip_numbers_up_to
from services.gateway.ledger_tables import contingencies
from services.gateway.offices import Offices
from services.gateway.outages import Contingency, ContingencyNotFound, NotWaiting, PartnerNotOut, number_of
from services.gateway.store import find_transmissions, transmissions_of
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.notices import public_key_of, sign_notice
from shared.contracts.certificates.sealing import ContingencyCopyPrinted
from shared.contracts.gateway.outages import (
    Contingencies,
    ContingencyIssued,
    ContingencyKind,
    ContingencyState,
    GetContingency,
    IssueContingency,
    ListContingencies,
    ListedContingency,
)
from shared.contracts.gateway.transmissions import StatusCode
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()

NOTICE = ContingencyKind.NOTICE.value


class ReconcileContingencies(Task):
    """Closes, every minute, the rows of the register whose document the partner has received."""

    kind: ClassVar[str] = "reconcile_contingencies"
    every: ClassVar[timedelta | None] = timedelta(minutes=1)


@router.answers(IssueContingency)
async def issue_contingency(command: IssueContingency, work: Work) -> ContingencyState:
    """The exporter, or an officer of the office, gets a numbered and signed notice. A second request gets the same one."""
    last = (await transmissions_of(work, command.certificate_id))[-1]
    work.actor.may_read(last.exporter_id, *command.read_by)
    work.actor.must_have_begun(last.agent_id)
    if work.actor.organisation != str(last.exporter_id):
        work.use(Offices).must_allow(work.actor, last.office)
    if last.code != StatusCode.AS1:
        raise NotWaiting()
    outage = await outage_of(work, last.destination)
    if outage is None:
        raise PartnerNotOut(destination=last.destination)
    known = await contingency_of(work, command.certificate_id, NOTICE)
    if known is not None and known.transmission == last.number:
        return state_of(known, last)

    exchange, year, now = work.use(Exchange), work.today.year, work.now
    number = number_of(exchange.country, NOTICE, year, await next_serial(work, "N", year))
    facts = {
        "iss": exchange.country,
        "number": number,
        "certificate": last.reference,
        "destination": last.destination,
        "out_since": outage.since.isoformat(),
        "issued_at": now.isoformat(),
    }
    issued = Contingency(
        number=number,
        kind=NOTICE,
        certificate_id=last.certificate_id,
        transmission=last.number,
        reference=last.reference,
        destination=last.destination,
        out_since=outage.since,
        issued_at=now,
        token=sign_notice(exchange.signer, facts),
        public_key=public_key_of(exchange.signer),
        issued_by=work.actor.must_have_id(),
    )
    work.session.add(issued)
    work.announce(announced(issued))
    return state_of(issued, last)


@router.on(ContingencyCopyPrinted)
async def register_print_on_contingency_copy_printed(event: ContingencyCopyPrinted, work: Work) -> None:
    """A print of the certificate enters the register, with the number that certificates gave it."""
    every, outage = await find_transmissions(work, event.certificate_id), await outage_of(work, event.destination)
    row = {
        "number": event.number,
        "kind": ContingencyKind.PRINT.value,
        "certificate_id": event.certificate_id,
        "transmission": every[-1].number if every else 1,
        "reference": event.reference,
        "destination": event.destination,
        "out_since": outage.since if outage else event.occurred_at,
        "issued_at": event.occurred_at,
        "issued_by": event.printed_by,
        "token": "",
        "public_key": "",
    }
    await work.insert_new(contingencies, [row])


@router.answers(GetContingency)
async def get_contingency(question: GetContingency, work: Work) -> ContingencyState:
    """The exporter, its agent and officers read the notice that was issued last."""
    every = await transmissions_of(work, question.certificate_id)
    work.actor.may_read(every[-1].exporter_id, *question.read_by)
    work.actor.must_have_begun(every[-1].agent_id)
    known = await contingency_of(work, question.certificate_id, NOTICE)
    if known is None:
        raise ContingencyNotFound()
    return state_of(known, every[-1])


@router.answers(ListContingencies)
async def list_contingencies(question: ListContingencies, work: Work) -> Contingencies:
    """Officers read the register."""
    rows, following = await contingencies_page(work, question.open, question.after, question.limit)
    return Contingencies(
        contingencies=tuple(
            ListedContingency(
                number=row.number,
                kind=ContingencyKind(row.kind),
                certificate_id=row.certificate_id,
                reference=row.reference,
                destination=row.destination,
                issued_at=row.issued_at,
                issued_by=row.issued_by,
                code=StatusCode(row.code) if row.code else None,
                reconciled_at=row.reconciled_at,
            )
            for row in rows
        ),
        next=following,
    )


@router.due(ReconcileContingencies)
async def reconcile_contingencies(task: ReconcileContingencies, work: Work) -> None:
    """The partner has received the document, or the certificate was cancelled: its notices and prints are closed."""
    for row in await ledger_store.to_reconcile(work):
        row.reconciled_at = work.now


def state_of(issued: Contingency, last: Transmission) -> ContingencyState:
    """A notice, with the last code of the certificate."""
    return ContingencyState(
        number=issued.number,
        kind=ContingencyKind(issued.kind),
        certificate_id=issued.certificate_id,
        reference=issued.reference,
        destination=issued.destination,
        out_since=issued.out_since,
        issued_at=issued.issued_at,
        token=issued.token,
        code=StatusCode(last.code) if last.code else None,
        reconciled_at=issued.reconciled_at,
    )


def announced(issued: Contingency) -> ContingencyIssued:
    """The event of a notice, with its public data only."""
    return ContingencyIssued(
        number=issued.number,
        kind=ContingencyKind(issued.kind),
        certificate_id=issued.certificate_id,
        reference=issued.reference,
        destination=issued.destination,
        transmission=issued.transmission,
        out_since=issued.out_since,
        token=issued.token,
        public_key=issued.public_key,
        version=1,
        occurred_at=issued.issued_at,
    )


@router.on_replay(ContingencyIssued)
async def replay_contingency(event: ContingencyIssued, work: Work) -> None:
    """The register gets the row back, and its number is not given again. Who requested it is not announced."""
    row = event.model_dump(exclude={"version", "occurred_at"}) | {"kind": event.kind.value, "issued_at": event.occurred_at}
    await work.insert_new(contingencies, [row])
    await skip_numbers_up_to(work, event.number)


@router.reannounces("contingency", ledger_store.notice_numbers)
async def announce_contingency(number: str, work: Work) -> None:
    """A notice is announced again."""
    work.announce(announced(await work.session.get_one(Contingency, number)))
