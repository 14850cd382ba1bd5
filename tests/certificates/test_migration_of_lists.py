"""The migration gives existing rows what lists show and search."""

from datetime import UTC, date, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from uuid import UUID, uuid4

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from pydantic import TypeAdapter
from sqlalchemy import Connection, create_engine, text

from services.certificates.domain.consignment import Consignment
from services.certificates.store.certificates import columns_of
from services.certificates.store.products import listed_as
from tests.certificates.builders import a_consignment

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "services/certificates/migrations"
COUNT = 600
"""More rows than a page of the migration."""


def migration(file: Path) -> ModuleType:
    spec = spec_from_file_location(file.stem, file)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def insert(connection: Connection, table: str, rows: list[dict[str, object]]) -> None:
    names = ", ".join(rows[0])
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in rows[0])})"), rows)


def a_row(certificate_id: UUID, consignment: Consignment, status: str, **days: str) -> dict[str, object]:
    body = TypeAdapter(Consignment).dump_json(consignment).decode()
    fixed = {"exporter_id": uuid4().hex, "form": "D", "office": "PNH", "issued_retroactively": False, "version": 3}
    dates: dict[str, object] = {"submitted_on": None, "issued_on": None}
    return {"certificate_id": certificate_id.hex, "consignment": body, "status": status, "submission": 1} | fixed | dates | days


def test_existing_rows_are_listed_and_found_after_the_migration() -> None:
    former, last = [FOLDER / f"certificates_{number:04}.py" for number in range(1, 6)], FOLDER / "certificates_0006.py"
    consignment = a_consignment(consignee_name="Saigon ÉLAN")
    issued, draft = uuid4(), uuid4()
    others = [a_row(uuid4(), consignment, "submitted", submitted_on="2026-01-02") for _ in range(COUNT)]
    with create_engine("sqlite://").begin() as connection, Operations.context(MigrationContext.configure(connection)):
        for file in former:
            migration(file).upgrade()
        days = {"submitted_on": "2026-01-02", "issued_on": "2026-01-05"}
        insert(connection, "certificates", [a_row(issued, consignment, "issued", **days), a_row(draft, consignment, "draft")])
        insert(connection, "certificates", others)
        product = {"product_id": uuid4().hex, "exporter_id": uuid4().hex, "hs_code": "610910", "criterion": "{}"}
        rest = {"description": "Épices\nde Kampot", "handicraft": False, "status": "approved", "version": 1}
        insert(connection, "products", [product | rest])

        began = datetime.now(UTC).isoformat()
        migration(last).upgrade()

        rows = {row.certificate_id: row for row in connection.execute(text("SELECT * FROM certificates"))}
        (listed,) = connection.execute(text("SELECT search, listed_as FROM products")).all()
    assert len(rows) == COUNT + 2
    for row in rows.values():
        shown = {name: getattr(row, name) for name in columns_of(consignment)}
        assert shown | {"departure_date": date.fromisoformat(row.departure_date)} == columns_of(consignment)
    assert rows[issued.hex].status_since == "2026-01-05T00:00:00.000000Z"
    assert rows[issued.hex].drafted_at == "2026-01-02T00:00:00.000000Z"
    assert rows[draft.hex].status_since >= began[:19]
    assert tuple(listed) == ("épices\nde kampot", listed_as("Épices\nde Kampot"))
