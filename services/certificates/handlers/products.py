"""An exporter registers a product, and a reviewer examines it."""

from services.certificates.domain.boxes.criterion import must_be_claimable
from services.certificates.domain.product import ProductIdTaken
from services.certificates.handlers.agents import agent_acting_for
from services.certificates.handlers.nomenclature import must_be_in_nomenclature
from services.certificates.mappers import product_of
from services.certificates.reference_data import ReferenceData
from services.certificates.store.products import find_product, product_by_id
from services.certificates.views import product_state
from shared.contracts.certificates.products import ApproveProduct, ProductState, RefuseProduct, RegisterProduct
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(RegisterProduct)
async def register_product(command: RegisterProduct, work: Work) -> ProductState:
    """An exporter registers a product for examination."""
    await agent_acting_for(command.exporter_id, work)
    if await find_product(work, command.product_id):
        raise ProductIdTaken("product_id")
    await must_be_in_nomenclature([("hs_code", command.hs_code)], work)

    product = product_of(command)
    must_be_claimable(product.criterion, work.use(ReferenceData).forms_on(work.today))

    work.session.add(product)
    return product_state(product)


@router.answers(ApproveProduct)
async def approve_product(command: ApproveProduct, work: Work) -> ProductState:
    """A reviewer finds that the product originates as claimed."""
    product = await product_by_id(work, command.product_id)

    product.approve(work.actor.must_have_id(), command.reason, work.today, work.use(ReferenceData).examination(work.today))

    return product_state(product)


@router.answers(RefuseProduct)
async def refuse_product(command: RefuseProduct, work: Work) -> ProductState:
    """A reviewer finds that the product does not originate as claimed."""
    product = await product_by_id(work, command.product_id)

    product.refuse(work.actor.must_have_id(), command.reason)

    return product_state(product)
