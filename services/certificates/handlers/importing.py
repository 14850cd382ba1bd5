"""Imports products and certificates of the ministry's former system, so that a company copies its last one on the first day."""

from uuid import UUID

from services.certificates.content_views import copied_former
from services.certificates.domain.copying import code_of_refusal
from services.certificates.domain.importing import (
    CompanyNotKnown,
    ProductNotImported,
    differences,
    must_be_issued_before,
)
from services.certificates.domain.product import Product, ProductStatus
from services.certificates.handlers.agents import agent_acting_for
from services.certificates.handlers.nomenclature import must_be_in_nomenclature
from services.certificates.mappers import criterion_of
from services.certificates.reference_data import ReferenceData
from services.certificates.store.exporters import find_exporter
from services.certificates.store.former import Former, find_former, keep_former, list_former
from services.certificates.store.products import find_product, products_by_ids
from shared.contracts.certificates.content import CertificateCopy
from shared.contracts.certificates.importing import (
    CheckCertificatesImport,
    CheckProductsImport,
    FormerCertificate,
    FormerCertificates,
    ImportCertificates,
    ImportedCertificate,
    ImportedProduct,
    ImportProducts,
    ListFormerCertificates,
)
from shared.contracts.registry.importing import Imported, RowOutcome, RowReport, compared, imported_id
from shared.handling.router import Router
from shared.handling.row_by_row import import_each
from shared.handling.work import Work

router = Router()


@router.answers(ImportProducts)
async def import_products(command: ImportProducts, work: Work) -> Imported:
    """Imports approved products."""
    return await import_each(command.products, import_product, work)


@router.answers(CheckProductsImport)
async def check_products_import(question: CheckProductsImport, work: Work) -> Imported:
    """Shows what an import of these products would do."""
    return await import_each(question.products, import_product, work)


@router.answers(ImportCertificates)
async def import_certificates(command: ImportCertificates, work: Work) -> Imported:
    """Imports certificates of the former system."""
    return await import_each(command.certificates, import_certificate, work)


@router.answers(CheckCertificatesImport)
async def check_certificates_import(question: CheckCertificatesImport, work: Work) -> Imported:
    """Shows what an import of these certificates would do."""
    return await import_each(question.certificates, import_certificate, work)


@router.answers(ListFormerCertificates)
async def list_former_certificates(question: ListFormerCertificates, work: Work) -> FormerCertificates:
    """Which certificates of the former system does this exporter have?"""
    await agent_acting_for(question.exporter_id, work)
    page, following = await list_former(work, question.exporter_id, question.search, question.after, question.limit)
    return FormerCertificates(certificates=[_listed(row.certificate_id, row.content) for row in page], next=following)


async def import_product(row: ImportedProduct, work: Work) -> RowReport:
    """Imports one product; a question saves nothing."""
    exporter_id = await _company_of(row, work)
    product = Product(
        product_id=imported_id("product", work.country, row.former_id),
        exporter_id=exporter_id,
        description=row.description,
        hs_code=row.hs_code,
        criterion=criterion_of(row.criterion),
        handicraft=row.handicraft,
        status=ProductStatus.APPROVED,
        valid_until=row.valid_until,
    )
    if known := await find_product(work, product.product_id):
        fields = ("exporter_id", "description", "hs_code", "criterion", "handicraft", "valid_until")
        return compared(differences(known, product, fields), known.product_id)
    await must_be_in_nomenclature([("hs_code", row.hs_code)], work)
    if work.may_write:
        work.session.add(product)
        await work.session.flush()
    return RowReport(outcome=RowOutcome.IMPORTED, id=product.product_id)


async def import_certificate(row: ImportedCertificate, work: Work) -> RowReport:
    """Imports one certificate; a question saves nothing."""
    exporter_id = await _company_of(row, work)
    must_be_issued_before(row.issued_on, work.today)
    work.use(ReferenceData).form(row.form, work.today)
    products = await products_by_ids(work, set(_products_of(row, work)))
    for number, product_id in enumerate(_products_of(row, work), start=1):
        if product_id not in products or products[product_id].exporter_id != exporter_id:
            raise ProductNotImported(f"items.{number}.product_former_id", product=row.items[number - 1].product_former_id)
    certificate_id = imported_id("certificate", work.country, row.former_id or row.reference)
    former = Former(
        certificate_id=certificate_id,
        exporter_id=exporter_id,
        reference=row.reference,
        issued_on=row.issued_on,
        search=f"{row.reference} {row.consignee.name}".lower(),
        content=row.model_dump_json(),
    )
    if known := await find_former(work, certificate_id):
        stored = ImportedCertificate.model_validate_json(known.content)
        return compared(differences(stored, row, ImportedCertificate.model_fields), certificate_id)
    if work.may_write:
        await keep_former(work, former)
    return RowReport(outcome=RowOutcome.IMPORTED, id=certificate_id)


async def copy_of_former(former: Former, work: Work) -> CertificateCopy:
    """What a new certificate takes from one of the former system. Raises the errors of `agent_acting_for`."""
    await agent_acting_for(former.exporter_id, work)
    row = ImportedCertificate.model_validate_json(former.content)
    ids = _products_of(row, work)
    return copied_former(
        row,
        former.certificate_id,
        former.exporter_id,
        product_ids=ids,
        products=await products_by_ids(work, set(ids)),
        form=work.use(ReferenceData).find_form(row.form, work.today),
        problems=problems_of(row.form, row.destination, row.office, work),
        today=work.today,
    )


def problems_of(form: str, destination: str, office: str, work: Work) -> list[str]:
    """The codes of what is no longer in force: the form, its destination, the office."""
    reference_data = work.use(ReferenceData)
    rules = (
        lambda: reference_data.form(form, work.today).must_serve(work.country, destination),
        lambda: reference_data.must_have_office(office),
    )
    return [code for code in map(code_of_refusal, rules) if code]


def _products_of(row: ImportedCertificate, work: Work) -> list[UUID]:
    return [imported_id("product", work.country, item.product_former_id) for item in row.items]


async def _company_of(row: ImportedProduct | ImportedCertificate, work: Work) -> UUID:
    key = row.company_key
    exporter_id = imported_id("exporter", work.country, key) if key else row.exporter_id
    if exporter_id is None or await find_exporter(work, exporter_id) is None:
        raise CompanyNotKnown("company_former_id" if row.company_former_id else "company_tax_number" if key else "exporter_id")
    return exporter_id


def _listed(certificate_id: UUID, content: str) -> FormerCertificate:
    row = ImportedCertificate.model_validate_json(content)
    return FormerCertificate(
        certificate_id=certificate_id,
        reference=row.reference,
        form=row.form,
        destination=row.destination,
        consignee=row.consignee.name,
        issued_on=row.issued_on,
        items=len(row.items),
    )
