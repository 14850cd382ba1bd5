"""Products and certificates of a former system: imported once, and copied on the first day."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from shared.contracts.certificates.content import CertificateCopy, CopyCertificate
from shared.contracts.certificates.importing import (
    CheckCertificatesImport,
    CheckProductsImport,
    FormerCertificates,
    ImportCertificates,
    ImportedCertificate,
    ImportedProduct,
    ImportProducts,
    ListFormerCertificates,
)
from shared.contracts.certificates.lists import GetProduct
from shared.contracts.registry.importing import Imported, imported_id
from tests.certificates.former import a_former_certificate, a_former_item, a_former_product
from tests.certificates.test_handlers import Trader
from tests.certificates.test_nomenclature import load
from tests.support.service_under_test import ServiceUnderTest, a_person

ADMINISTRATOR = a_person("administrator", organisation="MOC")


def a_product(trader: Trader, **changes: Any) -> ImportedProduct:
    return a_former_product(**{"exporter_id": trader.exporter_id, "valid_until": "2027-03-31"} | changes)


def a_certificate(trader: Trader, **changes: Any) -> ImportedCertificate:
    item = a_former_item(**changes.pop("item", {}))
    return a_former_certificate(**{"exporter_id": trader.exporter_id, "items": [item]} | changes)


async def outcomes(service: ServiceUnderTest, request: Any) -> list[tuple[str, str | None]]:
    answer: Imported = await service.ask(request, ADMINISTRATOR)
    return [(row.outcome, row.code) for row in answer.rows]


async def import_both(service: ServiceUnderTest, trader: Trader, **changes: Any) -> None:
    assert await outcomes(service, ImportProducts(products=[a_product(trader)])) == [("imported", None)]
    imported = ImportCertificates(certificates=[a_certificate(trader, **changes)])
    assert await outcomes(service, imported) == [("imported", None)]


async def test_a_certificate_of_the_former_system_is_found_and_copied(service: ServiceUnderTest, trader: Trader) -> None:
    await import_both(service, trader)

    question = ListFormerCertificates(exporter_id=trader.exporter_id, search="saigon")
    found: FormerCertificates = await service.ask(question, trader.person)
    (row,) = found.certificates
    assert (row.reference, row.consignee, row.issued_on, row.items) == (
        "KH-D-2026-004711",
        "Saigon Apparel",
        date(2026, 5, 4),
        1,
    )

    copy: CertificateCopy = await service.ask(CopyCertificate(certificate_id=row.certificate_id), trader.person)
    assert (copy.destination, copy.vessel, copy.problems) == ("VN", "MEKONG STAR", ())
    assert copy.items[0].product_id == imported_id("product", "KH", "P-1")
    assert copy.items[0].problem is None
    assert (
        await trader.draft(items=[trader.consignment()["items"][0] | {"product_id": copy.items[0].product_id}])
    ).status == "draft"


async def test_a_row_is_imported_once_and_a_dry_run_changes_nothing(service: ServiceUnderTest, trader: Trader) -> None:
    product, certificate = a_product(trader), a_certificate(trader)
    assert await outcomes(service, CheckProductsImport(products=[product])) == [("imported", None)]
    missing = await service.ask(GetProduct(product_id=imported_id("product", "KH", "P-1")), trader.person)
    assert missing.code == "product_not_found"

    await outcomes(service, ImportProducts(products=[product]))
    assert await outcomes(service, CheckCertificatesImport(certificates=[certificate])) == [("imported", None)]
    await outcomes(service, ImportCertificates(certificates=[certificate]))

    assert await outcomes(service, ImportProducts(products=[product])) == [("unchanged", None)]
    assert await outcomes(service, ImportCertificates(certificates=[certificate])) == [("unchanged", None)]
    changed: Imported = await service.ask(ImportProducts(products=[a_product(trader, hs_code="610990")]), ADMINISTRATOR)
    assert (changed.rows[0].outcome, changed.rows[0].fields) == ("different", ("hs_code",))
    other = ImportCertificates(certificates=[a_certificate(trader, vessel="ANGKOR")])
    assert (await service.ask(other, ADMINISTRATOR)).rows[0].fields == ("vessel",)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"exporter_id": None, "company_former_id": "MOC-1"}, "company_not_known", "company_former_id"),
        ({"exporter_id": None, "company_tax_number": "K001-901234567"}, "company_not_known", "company_tax_number"),
        ({"exporter_id": "00000000-0000-4000-8000-00000000dead"}, "company_not_known", "exporter_id"),
        ({"item": {"product_former_id": "P-9"}}, "product_not_imported", "items.1.product_former_id"),
        ({"issued_on": "2027-01-01"}, "issued_in_future", "issued_on"),
        ({"form": "ZZ"}, "form_not_offered", "form"),
    ],
)
async def test_a_wrong_certificate_is_refused_by_its_field_and_the_others_are_imported(
    service: ServiceUnderTest, trader: Trader, changes: dict[str, Any], code: str, field: str
) -> None:
    await outcomes(service, ImportProducts(products=[a_product(trader)]))
    rows = [a_certificate(trader, **changes), a_certificate(trader, reference="KH-D-2026-000002")]
    answer: Imported = await service.ask(ImportCertificates(certificates=rows), ADMINISTRATOR)

    assert [row.outcome for row in answer.rows] == ["refused", "imported"]
    assert (answer.rows[0].code, answer.rows[0].fields) == (code, (field,))


async def test_a_product_with_a_code_that_the_edition_does_not_have_is_refused(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await load(service)
    rows = [a_product(trader, hs_code="999999", former_id="P-2"), a_product(trader)]

    assert await outcomes(service, ImportProducts(products=rows)) == [("refused", "hs_code_unlike_any"), ("imported", None)]


async def test_a_stranger_finds_and_copies_nothing(service: ServiceUnderTest, trader: Trader) -> None:
    await import_both(service, trader)
    stranger = a_person("preparer", organisation=uuid4())
    certificate_id = imported_id("certificate", "KH", "KH-D-2026-004711")

    assert (await service.ask(ListFormerCertificates(exporter_id=trader.exporter_id), stranger)).code == "not_yours"
    assert (await service.ask(CopyCertificate(certificate_id=certificate_id), stranger)).code == "not_yours"
    assert (await service.ask(ImportProducts(products=[a_product(trader)]), trader.person)).code == "role_required"


def test_a_row_names_its_company_exactly_once() -> None:
    row = {"former_id": "P-1", "description": "Rice", "hs_code": "100630", "criterion": {"kind": "WO"}}
    twice = {"exporter_id": str(uuid4()), "company_former_id": "MOC-1"}
    for companies in ({}, twice):
        with pytest.raises(ValueError, match="give one of"):
            ImportedProduct.model_validate(row | companies)
