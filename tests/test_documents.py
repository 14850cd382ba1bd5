"""The documents name what there is: every link, every path, every function."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "build" for part in path.relative_to(ROOT).parts)
)
PRECISE = (
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/decisions/0020-faststream-carries-requests.md",
    "docs/decisions/0021-sentences-of-refusals-are-data.md",
    "docs/decisions/0022-the-plumbing-stands-in-rooms.md",
    "docs/decisions/0023-make-test-runs-every-kind-once.md",
)
"""Documents of which every path exists."""

LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)[^)]*\)")
BLOCK = re.compile(r"```.*?```", re.DOTALL)
PATH = re.compile(r"`([\w*.-]+(?:/[\w*.-]+)+/?|[\w*-]+/|\w+\.py)`")
NAMED = re.compile(r"`([\w/]+\.py)` `(\w+(?:\.\w+)?)`")
METHOD = re.compile(r"`([A-Z]\w+\.\w+)`")


def found(path: str) -> list[Path]:
    """What a path stands for, seen from the repository or from `shared/`."""
    return [*ROOT.glob(path), *(ROOT / "shared").glob(path)]


def names_in(file: Path) -> set[str]:
    """The functions, classes, methods and variables of a file."""
    names: set[str] = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
            names |= {f"{node.name}.{each.name}" for each in methods}
    return names


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(path: Path) -> None:
    links = LINK.findall(path.read_text())

    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("name", PRECISE)
def test_every_path_exists(name: str) -> None:
    paths = PATH.findall(BLOCK.sub("", (ROOT / name).read_text()))

    assert [path for path in paths if not found(path)] == []


def test_every_function_of_the_architecture_stands_where_the_page_says() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = NAMED.findall(text)
    methods = set().union(*(names_in(file) for file in (ROOT / "shared").rglob("*.py")))

    assert len(named) > 50
    assert [(path, name) for path, name in named if name not in names_in(found(path)[0])] == []
    assert set(METHOD.findall(text)) <= methods


def test_the_architecture_is_two_pages() -> None:
    assert len((ROOT / "docs" / "architecture.md").read_text().splitlines()) <= 130
