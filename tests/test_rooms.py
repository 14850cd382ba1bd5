"""The rooms of the plumbing keep their budget of lines (decision 0022)."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[1] / "shared"
BUDGETS = {
    "handling": 790,
    "workers": 830,
    "bus": 540,
    "database": 1020,
    "security": 500,
    "audit_log": 300,
    "operations": 680,
    "observability": 230,
    "runtime": 620,
    "web": 420,
    "uploads": 250,
    "xml": 590,
}
GROUND = {"refusals.py", "clock.py", "settings.py", "dated.py", "hooks.py", "__init__.py"}


@pytest.mark.parametrize("room", BUDGETS)
def test_a_room_keeps_its_budget(room: str) -> None:
    files = [file for file in (SHARED / room).rglob("*.py") if "versions" not in file.parts]
    lines = {file.name: len(file.read_text().splitlines()) for file in files}

    assert sum(lines.values()) <= BUDGETS[room], lines
    assert max(lines.values()) <= 300, lines


def test_every_file_of_the_plumbing_stands_in_a_room() -> None:
    found = {path.name for path in SHARED.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}

    assert found == {*BUDGETS, *GROUND, "contracts"}
