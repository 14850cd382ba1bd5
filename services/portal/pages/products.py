"""Products: an exporter registers goods, and the ministry examines their origin before any certificate."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from services.portal.company_words import CompanyWords
from services.portal.drafts import tidy
from services.portal.forms import FormInvalid
from services.portal.navigation import COMPANY, DECIDING, FILING
from services.portal.page import page
from services.portal.pages.origin import worksheet
from services.portal.pages.product_costs import stated_costs
from services.portal.settings import PREFIX
from services.portal.visit import NotForYou, Visit
from shared.contracts.certificates.lists import GetProduct, ListProducts, Products
from shared.contracts.certificates.products import CriterionKind, ProductState, ProductStatus, RegisterProduct
from shared.contracts.certificates.self_certification import CertifiedExporterState, GetCertifiedExporter
from shared.contracts.fields import Cursor, Line
from shared.contracts.roles import Role

LIST = f"{PREFIX}/products"
CostsVersion = Annotated[int, Field(ge=1, le=1000)]
READERS = COMPANY | DECIDING | {Role.AUDITOR}


async def show_products(visit: Visit) -> Response:
    """The products of the company, or of all for an officer, by state and search."""
    person = visit.someone
    company = visit.company if person.has(*COMPANY) else None
    status = visit.query("status")
    wanted = ListProducts(
        exporter_id=company,
        status=ProductStatus(status) if status in set(ProductStatus) else None,
        search=visit.filter("search", Line),
        after=visit.filter("after", Cursor),
    )
    answer: Products = await visit.ask(wanted)
    certified: CertifiedExporterState | None = None
    if company is not None:
        question = GetCertifiedExporter(exporter_id=company)
        certified = await visit.ask_or(None, question, "certified_exporter_not_found", "not_yours")
    words = CompanyWords(visit.language)
    by_status = [(words.products[each][0], f"{LIST}?status={each}", None) for each in ProductStatus]
    return visit.page(
        "products/list.html",
        products=answer.products,
        next=visit.here(after=answer.next, done=None) if answer.next else None,
        words=words,
        states=[(visit.language.gettext("All"), LIST, None), *by_status],
        chosen=status,
        files=person.has(*FILING),
        of_company=company is not None,
        certified=certified,
    )


async def show_register(visit: Visit) -> Response:
    """The form to register a product."""
    return visit.page("products/register.html", words=CompanyWords(visit.language), kinds=tuple(CriterionKind))


async def register(visit: Visit) -> Response:
    """Requests the examination of a product's origin. A percentage belongs to the criterion RVC only."""
    if visit.form.text("criterion.kind") != CriterionKind.RVC:
        visit.form.forget("criterion.percentage")
    product_id = visit.form.command_id("product")
    fixed = {
        "exporter_id": visit.company,
        "handicraft": visit.form.text("handicraft") == "yes",
        "hs_code": tidy("hs_code", visit.form.text("hs_code")),
    }
    names = ["description", "criterion"]
    try:
        command = visit.form.build(RegisterProduct, names, product_id=product_id, **fixed)
    except FormInvalid:
        _lay_criterion_on_its_fields(visit)
        raise
    await visit.ask(command)
    return visit.go(f"{LIST}/{product_id}", done="registered")


def _lay_criterion_on_its_fields(visit: Visit) -> None:
    """The contract names the criterion as a whole; the page has a field for the kind and one for the percentage."""
    _ = visit.language.gettext
    for place, (field, _sentence) in enumerate(visit.form.errors):
        if field == "criterion" and visit.form.text("criterion.kind") == CriterionKind.RVC:
            visit.form.errors[place] = ("criterion.percentage", _("Give the percentage, such as 47.5."))
        elif field == "criterion":
            visit.form.errors[place] = ("criterion.kind", _("Choose one of the criteria."))


async def show_product(visit: Visit) -> Response:
    """One product with its finding, and for a reviewer the decision."""
    try:
        product_id: UUID = visit.id("product_id")
    except ValueError:
        raise NotForYou from None
    product: ProductState = await visit.ask(GetProduct(product_id=product_id))
    stated = await stated_costs(visit, product, visit.filter("costs", CostsVersion))
    today = visit.context.clock.today()
    return visit.page(
        "products/product.html",
        product=product,
        stated=stated,
        today=today,
        address=f"{LIST}/{product.product_id}",
        here=visit.here,
        **worksheet(visit, stated.assessment if stated else None),
        words=CompanyWords(visit.language),
        files=visit.someone.has(*FILING),
    )


routes = [
    page("/products", show_products, roles=READERS),
    page("/products/new", show_register, register, roles=FILING),
    page("/products/{product_id}", show_product, roles=READERS),
]
