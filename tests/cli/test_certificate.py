"""`co certificate check`: the seal of a PDF, offline."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from cli.commands.certificate import check
from cli.seal_of_pdf import seal_of
from cli.target import CommandFailed
from services.certificates.documents.orders import PageOrder
from services.certificates.documents.sealing import sealed_page
from tests.certificates.builders import page_texts
from tests.certificates.keys import a_sealing, new_keys, office_keys
from tests.gateway.builders import a_form

SEALED_AT = datetime(2026, 3, 2, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def pdf() -> bytes:
    page = PageOrder(
        page=page_texts(),
        document=a_form().model_dump_json(),
        country_names={},
        office_name="Ministry of Commerce",
        check_at="https://co.example/verify",
    )
    return sealed_page(page, a_sealing().order(uuid4(), "PNH", "ABCD-EFGH-JKLM", date(2026, 3, 2), SEALED_AT)).pdf


def test_a_sealed_pdf_is_intact(pdf: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "certificate.pdf"
    file.write_bytes(pdf)

    assert check(str(file), authority=office_keys().authority, root=tmp_path, as_json=True) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["seal"]["intact"]
    assert "CO office PNH" in found["seal"]["by"]


@pytest.mark.parametrize("at", [100, 20_000, -100])
def test_each_changed_byte_is_refused(pdf: bytes, at: int, tmp_path: Path) -> None:
    changed = bytearray(pdf)
    changed[at] ^= 1
    file = tmp_path / "certificate.pdf"
    file.write_bytes(changed)

    assert check(str(file), authority=office_keys().authority, root=tmp_path) == 1


def test_something_added_behind_the_seal_is_refused(pdf: bytes) -> None:
    assert seal_of(pdf + b"\n%%EOF\n", office_keys().authority.read_bytes()).why


def test_the_seal_of_another_authority_is_refused(pdf: bytes) -> None:
    assert seal_of(pdf, new_keys().authority.read_bytes()).why == "the authority did not certify this seal"


def test_a_file_without_a_seal_is_refused() -> None:
    assert seal_of(b"%PDF-1.7", office_keys().authority.read_bytes()).why


def test_without_a_site_and_an_authority_the_command_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="--at"):
        check("D2026-PNH-000123", "ABCD-EFGH-JKLM", root=tmp_path)
