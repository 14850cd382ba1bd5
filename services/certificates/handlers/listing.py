"""Lists and counts of certificates, products and consignees, for those who may read them."""

from services.certificates.content_views import listed
from services.certificates.domain.life_cycle import Status
from services.certificates.domain.product import ProductStatus
from services.certificates.handlers.reading import whose
from services.certificates.store import lists
from services.certificates.store.lists import Wanted
from services.certificates.store.products import product_by_id
from services.certificates.views import product_state
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.certificates.lists import (
    CertificateCounts,
    CertificateOrder,
    Certificates,
    CountCertificates,
    GetProduct,
    KnownConsignee,
    KnownConsignees,
    ListCertificates,
    ListConsignees,
    ListProducts,
    Products,
)
from shared.contracts.certificates.products import ProductState
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ListCertificates)
async def list_certificates(question: ListCertificates, work: Work) -> Certificates:
    """Which certificates are there?"""
    wanted = Wanted(
        statuses=[Status(status) for status in question.statuses],
        destination=question.destination,
        search=question.search,
        officer=work.actor.must_have_id() if question.mine else None,
        unpaid=question.unpaid,
    )
    rows, following = await lists.list_certificates(
        work,
        whose(question.exporter_id, question.office, question.read_by, work),
        wanted,
        longest_waiting=question.order is CertificateOrder.LONGEST_WAITING,
        after=question.after,
        limit=question.limit,
    )
    return Certificates(certificates=[listed(row) for row in rows], next=following)


@router.answers(CountCertificates)
async def count_certificates(question: CountCertificates, work: Work) -> CertificateCounts:
    """How many certificates are there of each status?"""
    of = whose(question.exporter_id, question.office, question.read_by, work)
    counts = await lists.count_certificates(work, of, work.actor.must_have_id())
    return CertificateCounts(
        by_status=dict(counts.by_status),
        at_least=[CertificateStatus(status) for status in counts.at_least],
        unpaid=counts.unpaid,
        held=counts.held,
        mine=counts.mine,
        oldest_submitted_on=counts.waiting_since,
    )


@router.answers(ListProducts)
async def list_products(question: ListProducts, work: Work) -> Products:
    """Which products are there? An agent sees all of its exporter's."""
    of = whose(question.exporter_id, None, question.read_by, work)
    status = ProductStatus(question.status) if question.status else None
    found, following = await lists.list_products(work, of.exporter_id, status, question.search, question.after, question.limit)
    return Products(products=[product_state(product) for product in found], next=following)


@router.answers(GetProduct)
async def get_product(question: GetProduct, work: Work) -> ProductState:
    """What was found about this product?"""
    product = await product_by_id(work, question.product_id)
    work.actor.may_read(product.exporter_id, *question.read_by)
    return product_state(product)


@router.answers(ListConsignees)
async def list_consignees(question: ListConsignees, work: Work) -> KnownConsignees:
    """Which consignees has this exporter named? An agent sees those of the certificates that it drafted."""
    work.actor.must_act_for(question.exporter_id)
    rows, following = await lists.list_consignees(
        work, question.exporter_id, work.actor.agent_id, question.search, question.after, question.limit
    )
    consignees = [
        KnownConsignee(
            name=row.consignee,
            address=row.consignee_address,
            destination=row.destination,
            port_of_discharge=row.port_of_discharge,
        )
        for row in rows
    ]
    return KnownConsignees(consignees=consignees, next=following)
