"""What is wrong with a certificate, box by box, before it is submitted."""

from collections.abc import Mapping
from uuid import UUID

from services.certificates.box_views import box_checks, draft_problems
from services.certificates.domain.boxes import CHECKS, problems_of
from services.certificates.domain.boxes.sheet import Content, Sheet
from services.certificates.domain.product import Product
from services.certificates.handlers.agents import agent_acting_for
from services.certificates.handlers.back_to_back import known_originals
from services.certificates.mappers import content_filled_in
from services.certificates.reference_data import ReferenceData
from services.certificates.store.exporters import find_exporter
from services.certificates.store.nomenclature import nomenclature_in_force
from services.certificates.store.products import products_by_ids
from shared.contracts.certificates.checking import BoxChecks, CheckDraft, DraftProblems, ListBoxChecks
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(CheckDraft)
async def check_draft(question: CheckDraft, work: Work) -> DraftProblems:
    """The exporter asks what to correct before the submission."""
    await agent_acting_for(question.exporter_id, work)
    known = await products_by_ids(work, {item.product_id for item in question.consignment.items if item})
    content = content_filled_in(question.consignment, known)
    return draft_problems(problems_of(await sheet_of(content, question.form, question.exporter_id, work, known)))


@router.answers(ListBoxChecks)
async def list_box_checks(question: ListBoxChecks, work: Work) -> BoxChecks:
    """Which rules does each box have?"""
    return box_checks(CHECKS)


async def sheet_of(
    content: Content, form: str, exporter_id: UUID, work: Work, known: Mapping[UUID, Product] | None = None
) -> Sheet:
    """What the checks of boxes read. `known`: the products of the items, if they are read already."""
    data, items = work.use(ReferenceData), content.items
    if known is None:
        known = await products_by_ids(work, {item.product_id for item in items.values()})
    wanted = {number: item.original for number, item in items.items() if item.original}
    return Sheet(
        content=content,
        form=data.form(form, work.today),
        origin=work.country,
        on=work.today,
        exporter_id=exporter_id,
        exporter=await find_exporter(work, exporter_id),
        offices=data.offices.keys(),
        products=known,
        originals=await known_originals(wanted, work),
        nomenclature=await nomenclature_in_force(work),
    )
