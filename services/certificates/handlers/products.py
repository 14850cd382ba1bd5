"""Products: registered by an exporter, examined by a reviewer."""

from services.certificates.domain.form import Criterion
from services.certificates.domain.product import Product, ProductIdTaken
from services.certificates.handlers.agents import who_acts_for
from services.certificates.store import find_product, product_by_id
from shared.contracts.certificates import products as contracts
from shared.contracts.certificates.products import ApproveProduct, ProductState, RefuseProduct, RegisterProduct
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(RegisterProduct)
async def register_product(command: RegisterProduct, work: Work) -> ProductState:
    """An exporter asks that a product's origin be examined."""
    await who_acts_for(command.exporter_id, work)
    if await find_product(work, command.product_id):
        raise ProductIdTaken("", "product_id")

    product = Product(
        command.product_id,
        command.exporter_id,
        command.description,
        command.hs_code,
        Criterion(command.criterion.kind, command.criterion.percentage),
        command.handicraft,
    )

    work.session.add(product)
    return state_of(product)


@router.answers(ApproveProduct)
async def approve_product(command: ApproveProduct, work: Work) -> ProductState:
    """A reviewer finds that the product originates as claimed."""
    product = await product_by_id(work, command.product_id)

    product.approve(work.actor.must_have_id())

    return state_of(product)


@router.answers(RefuseProduct)
async def refuse_product(command: RefuseProduct, work: Work) -> ProductState:
    """A reviewer finds that the product does not originate as claimed."""
    product = await product_by_id(work, command.product_id)

    product.refuse(work.actor.must_have_id(), command.reason)

    return state_of(product)


def state_of(product: Product) -> ProductState:
    """A product as it is shown."""
    return ProductState(
        product_id=product.product_id,
        exporter_id=product.exporter_id,
        description=product.description,
        hs_code=product.hs_code,
        criterion=contracts.Criterion(kind=product.criterion.kind, percentage=product.criterion.percentage),
        status=product.status,
        reason=product.reason,
        version=product.version,
    )
