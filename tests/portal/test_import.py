"""Drafts are imported from files: first a report, then each certificate by itself; strange files are refused in a sentence."""

from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from services.portal.draft_files import (
    COLUMNS,
    EXAMPLE,
    DraftFileEmpty,
    DraftFileEncodingUnknown,
    DraftFileTooLarge,
    DraftFileUnreadable,
    DraftFileWithoutColumns,
    as_csv,
    plan,
    rows_of,
)
from shared.contracts.certificates.lists import ListCertificates
from shared.contracts.certificates.products import ProductState
from shared.web.languages import Language
from tests.support.portal import Browser, System

ENGLISH = Language("en", [], ZoneInfo("Asia/Phnom_Penh"))
HEADER = ",".join(COLUMNS)


def a_row(**changes: str) -> list[str]:
    return list((dict(zip(COLUMNS, EXAMPLE, strict=True)) | changes).values())


def a_file(*rows: list[str]) -> bytes:
    return as_csv([list(COLUMNS), *rows])


def a_product(description: str = EXAMPLE[8]) -> ProductState:
    return ProductState.model_validate(
        {
            "product_id": uuid4(),
            "exporter_id": uuid4(),
            "description": description,
            "hs_code": "10063040",
            "criterion": {"kind": "WO"},
            "status": "approved",
            "version": 1,
        }
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_files_of_each_encoding_and_separator_are_read(encoding: str, separator: str) -> None:
    text = separator.join(COLUMNS) + "\r\n" + separator.join(f'"{cell}"' for cell in EXAMPLE) + "\r\n"

    rows = rows_of(text.encode(encoding))

    assert list(rows[0].cells.values()) == list(EXAMPLE)
    assert rows[0].number == 2


def test_a_list_in_json_is_read() -> None:
    rows = rows_of(b'[{"certificate": "A1", "packages": 500, ' + ",".join(f'"{n}": "x"' for n in COLUMNS).encode() + b"}]")

    assert rows[0].cells["marks"] == "x"


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"certificate,office\n" + b"\xe9", DraftFileEncodingUnknown),
        (HEADER.encode("utf-16-le"), DraftFileEncodingUnknown),
        (b"certificate,office\n1,PNH\n", DraftFileWithoutColumns),
        (b"", DraftFileEmpty),
        (HEADER.encode(), DraftFileEmpty),
        (b"[1, 2]", DraftFileUnreadable),
        (b"[" * 100_000, DraftFileUnreadable),
        (b'{"rows": ', DraftFileUnreadable),
        (a_file(*[a_row()] * 1001), DraftFileTooLarge),
        ((HEADER + "\n" + "x\n" * 100_000).encode(), DraftFileTooLarge),
        (b"x" * (2 * 1024 * 1024 + 1), DraftFileTooLarge),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        rows_of(content)


def test_rows_with_one_key_are_the_items_of_one_certificate() -> None:
    rows = rows_of(a_file(a_row(), a_row(marks="SECOND", consignee_name=""), a_row(certificate="A2")))

    first, second = plan(rows, [a_product()], ENGLISH)

    assert first.consignment is not None
    assert [item.marks for item in first.consignment.items] == ["ARM 1-500", "SECOND"]
    assert second.errors == []


def test_each_wrong_row_is_named_with_its_column() -> None:
    wrong = a_row(hs_code="10", consignee_name="ក្រុមហ៊ុន", product="Unknown goods", quantity="many")
    rows = rows_of(
        a_file(a_row(certificate="A2"), wrong, a_row(certificate=""), a_row(vessel="Another ship", certificate="A2"))
    )

    found = {each.key: each for each in plan(rows, [a_product()], ENGLISH)}
    sentences = " ".join(f"{number}: {sentence}" for each in found.values() for number, sentence in each.errors)

    assert "3: hs_code: This does not have the form" in sentences
    assert "3: product: your company has no approved product" in sentences
    assert "3: quantity: Type a number" in sentences
    assert "4: The column certificate is empty" in sentences
    assert "5: vessel differs from the first row" in sentences
    assert all(each.consignment is None for each in found.values())


def test_two_products_with_one_description_need_an_id() -> None:
    rows, products = rows_of(a_file(a_row())), [a_product(), a_product()]

    assert "Several approved products" in plan(rows, products, ENGLISH)[0].errors[0][1]
    by_id = rows_of(a_file(a_row(product=str(products[1].product_id))))
    assert plan(by_id, products, ENGLISH)[0].errors == []


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_formula_is_text_and_is_neutralised_in_reports(cell: str) -> None:
    rows = rows_of(a_file(a_row(marks="A " + cell)))

    assert rows[0].cells["marks"] == "A " + cell
    assert f"'{cell}" in as_csv([[cell]]).decode("utf-8-sig")


async def upload(browser: Browser, content: bytes) -> str:
    await browser.get("/certificates/import")
    return await browser.send("/import", {"file": ("drafts.csv", content, "text/csv")})


async def test_a_file_is_reported_then_drafted_and_never_doubled(system: System) -> None:
    exporter = await system.exporter()
    assert exporter.session
    await system.product(exporter)
    browser = await system.signed_in(exporter)
    content = a_file(
        a_row(), a_row(certificate="A2"), a_row(certificate="=A3", destination="XX"), a_row(certificate="A4", unit="?")
    )

    text = await upload(browser, content)
    assert "Nothing is drafted yet" in text
    assert "Row 5: unit" in text
    assert await how_many(system, exporter.session.token) == 0

    text = await browser.send(browser.path, then="draft")
    assert "2 certificates are drafted. 1 was refused" in text
    assert "does not serve XX" in text
    report = await browser.http.get(f"{browser.path}/report.csv")
    assert "'=A3,refused" in report.text

    await upload(browser, content)
    await browser.send(browser.path, then="draft")
    assert await how_many(system, exporter.session.token) == 2
    assert "there already" in await upload_changed(browser)
    assert await how_many(system, exporter.session.token) == 2


async def upload_changed(browser: Browser) -> str:
    await upload(browser, a_file(a_row(vessel="Another ship")))
    return await browser.send(browser.path, then="draft")


async def how_many(system: System, token: str) -> int:
    return len((await system.ask(ListCertificates(), token=token)).certificates)


async def test_a_strange_file_is_refused_on_the_page(system: System) -> None:
    browser = await system.signed_in(await system.exporter())

    assert "save it again as CSV UTF-8" in await upload(browser, b"certificate\xe9")
    assert "1000 rows and 2 MB" in await upload(browser, (HEADER + "\n" + "x\n" * 100_000).encode())
    await browser.get(f"/certificates/import/{UUID(int=7)}")
    assert "Import drafts from a file" in browser.text
