"""The register of certified exporters (ATIGA Annex 8, Rules 12A to 12D): approvers of the headquarters keep it."""

from uuid import UUID

from services.certificates.certified_views import certified_changed, certified_state
from services.certificates.domain.certified import (
    CertifiedAct,
    CertifiedExporter,
    CertifiedExporterNotFound,
    CertifiedStatus,
    HeadquartersOnly,
    must_not_be_certified,
)
from services.certificates.domain.exporter import Exporter, ExporterNotRegistered, Standing
from services.certificates.domain.product import Product
from services.certificates.reference_data import ReferenceData
from services.certificates.store import certified as store
from services.certificates.store.certified import KeptAct
from services.certificates.store.exporters import find_exporter
from services.certificates.store.products import products_by_ids, require_product
from shared.contracts.certificates.self_certification import (
    CertifiedExporterChanged,
    CertifiedExporters,
    CertifiedExporterState,
    ChangeCertifiedExporter,
    FoundExporter,
    FoundExporters,
    GetCertifiedExporter,
    GrantCertifiedExporter,
    ListCertifiedExporters,
    ListedCertifiedExporter,
    ReinstateCertifiedExporter,
    SearchExporters,
    SuspendCertifiedExporter,
    WithdrawCertifiedExporter,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()

BY_REGISTRATION = "The registration of the company is not in force."
REGISTERED_AGAIN = "The registration of the company is in force again."


@router.answers(GrantCertifiedExporter)
async def grant_certified_exporter(command: GrantCertifiedExporter, work: Work) -> CertifiedExporterState:
    """An approver certifies an exporter (Rule 12A). It gets a code."""
    must_be_of_headquarters(work)
    exporter = await find_exporter(work, command.exporter_id)
    if exporter is None:
        raise ExporterNotRegistered("exporter_id")
    exporter.must_be_registered(work.today)
    must_not_be_certified(await store.find_certified(work, command.exporter_id))
    products = await _products_of(command, work)

    year, today = work.today.year, work.today
    code = f"{work.country}-CE-{year}-{await store.next_number(work, year):04}"
    certified = CertifiedExporter(code=code, exporter_id=command.exporter_id, valid_from=today, valid_until=today)
    _set_content(certified, command, products, work)

    return await _kept(CertifiedAct.GRANT, certified, exporter, command.reason, work)


@router.answers(ChangeCertifiedExporter)
async def change_certified_exporter(command: ChangeCertifiedExporter, work: Work) -> CertifiedExporterState:
    """An approver changes period, signatories and products of a certified exporter."""
    certified, exporter = await _certified(command.exporter_id, work)
    products = await _products_of(command, work)

    certified.change()
    _set_content(certified, command, products, work)

    return await _kept(CertifiedAct.CHANGE, certified, exporter, command.reason, work)


@router.answers(SuspendCertifiedExporter)
async def suspend_certified_exporter(command: SuspendCertifiedExporter, work: Work) -> CertifiedExporterState:
    """An approver suspends a certified exporter (Rule 12B)."""
    certified, exporter = await _certified(command.exporter_id, work)

    certified.suspend(work.today)

    return await _kept(CertifiedAct.SUSPEND, certified, exporter, command.reason, work)


@router.answers(ReinstateCertifiedExporter)
async def reinstate_certified_exporter(command: ReinstateCertifiedExporter, work: Work) -> CertifiedExporterState:
    """An approver ends the suspension of a certified exporter, whose registration must be in force."""
    certified, exporter = await _certified(command.exporter_id, work)
    if exporter is not None:
        exporter.must_be_registered(work.today)

    certified.reinstate(work.today)

    return await _kept(CertifiedAct.REINSTATE, certified, exporter, command.reason, work)


@router.answers(WithdrawCertifiedExporter)
async def withdraw_certified_exporter(command: WithdrawCertifiedExporter, work: Work) -> CertifiedExporterState:
    """An approver withdraws the code of a certified exporter (Rule 12B). This is final."""
    certified, exporter = await _certified(command.exporter_id, work)

    certified.withdraw(work.today)

    return await _kept(CertifiedAct.WITHDRAW, certified, exporter, command.reason, work)


@router.answers(GetCertifiedExporter)
async def get_certified_exporter(question: GetCertifiedExporter, work: Work) -> CertifiedExporterState:
    """Is this exporter certified, for which products, and who signs?"""
    work.actor.may_read(question.exporter_id, *question.read_by)
    certified = await store.find_certified(work, question.exporter_id)
    if certified is None:
        raise CertifiedExporterNotFound("exporter_id")
    exporter = await find_exporter(work, question.exporter_id)
    acts = await store.acts_of(work, certified.code)
    return certified_state(certified, exporter.name if exporter else "", acts)


@router.answers(ListCertifiedExporters)
async def list_certified_exporters(question: ListCertifiedExporters, work: Work) -> CertifiedExporters:
    """Which exporters are or were certified?"""
    status = CertifiedStatus(question.status) if question.status else None
    rows, following = await store.list_certified(work, status, question.after, question.limit)
    listed = [
        ListedCertifiedExporter(
            exporter_id=row.exporter_id,
            name=row.name or "",
            code=row.code,
            status=row.status,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
        )
        for row in rows
    ]
    return CertifiedExporters(exporters=listed, next=following)


@router.answers(SearchExporters)
async def search_exporters(question: SearchExporters, work: Work) -> FoundExporters:
    """Which registered exporters have this text in their name, or this id?"""
    found = await store.search_exporters(work, question.search, question.exporter_id)
    return FoundExporters(exporters=[FoundExporter(exporter_id=ident, name=name, code=code) for ident, name, code in found])


async def follow_registration(exporter_id: UUID, work: Work) -> None:
    """A certified exporter without a registration in force is suspended, until the registration is in force again."""
    certified, exporter = await store.find_certified(work, exporter_id), await find_exporter(work, exporter_id)
    if certified is None or exporter is None or certified.status is CertifiedStatus.WITHDRAWN:
        return
    in_force = exporter.standing is Standing.ACTIVE
    if not in_force and certified.status is CertifiedStatus.GRANTED:
        certified.suspend(work.today, by_registration=True)
        await _kept(CertifiedAct.SUSPEND, certified, exporter, BY_REGISTRATION, work, by_registration=True)
    elif in_force and certified.by_registration:
        certified.reinstate(work.today)
        await _kept(CertifiedAct.REINSTATE, certified, exporter, REGISTERED_AGAIN, work, by_registration=True)


@router.reannounces("certified-exporter", store.codes)
async def announce_certified_exporter(code: str, work: Work) -> None:
    """Announces the present state of a certified exporter again."""
    if certified := await store.certified_by_code(work, code):
        work.announce(certified_changed(certified, work))


@router.on_replay(CertifiedExporterChanged)
async def remember_certified_exporter(event: CertifiedExporterChanged, work: Work) -> None:
    """The register was changed after the backup. Its status comes back. The event has no names: officers enter them again."""
    await store.skip_codes_up_to(work, event.code)
    certified = await store.certified_by_code(work, event.code)
    if certified is None or certified.version >= event.version:
        return
    certified.status, certified.version = CertifiedStatus(event.status), event.version
    certified.valid_until, certified.withdrawn_on = event.valid_until, event.withdrawn_on
    await store.keep_certified(work, certified)


def must_be_of_headquarters(work: Work) -> None:
    """Refuses officers of other offices: a certified exporter belongs to no office (ours). Raises HeadquartersOnly."""
    if not work.use(ReferenceData).is_headquarters(work.actor.organisation):
        raise HeadquartersOnly()


async def _certified(exporter_id: UUID, work: Work) -> tuple[CertifiedExporter, Exporter | None]:
    must_be_of_headquarters(work)
    certified = await store.find_certified(work, exporter_id)
    if certified is None:
        raise CertifiedExporterNotFound("exporter_id")
    return certified, await find_exporter(work, exporter_id)


async def _products_of(command: GrantCertifiedExporter | ChangeCertifiedExporter, work: Work) -> list[Product]:
    known = await products_by_ids(work, set(command.product_ids))
    products = []
    for index, product_id in enumerate(dict.fromkeys(command.product_ids)):
        field = f"product_ids.{index}"
        product = require_product(known.get(product_id), product_id, field)
        product.must_serve(command.exporter_id, field, work.today)
        products.append(product)
    return products


def _set_content(
    certified: CertifiedExporter,
    command: GrantCertifiedExporter | ChangeCertifiedExporter,
    products: list[Product],
    work: Work,
) -> None:
    people = [(each.name, each.position) for each in command.signatories]
    rule = work.use(ReferenceData).certification_rule(work.today)
    certified.set_content(work.today, command.valid_until, people, products, rule)


async def _kept(
    act: CertifiedAct,
    certified: CertifiedExporter,
    exporter: Exporter | None,
    reason: str,
    work: Work,
    *,
    by_registration: bool = False,
) -> CertifiedExporterState:
    await store.keep_certified(work, certified)
    user_id = None if by_registration else work.actor.user_id
    kept = KeptAct(code=certified.code, version=certified.version, act=act, at=work.now, reason=reason, user_id=user_id)
    await store.keep_act(work, kept)
    work.announce(certified_changed(certified, work))
    return certified_state(certified, exporter.name if exporter else "", await store.acts_of(work, certified.code))
