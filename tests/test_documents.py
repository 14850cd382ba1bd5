"""Every link and every path in the documents leads somewhere."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)?(#[^)\s]+)?\)")
PATH = re.compile(r"`((?:shared|services|cli|deploy|tests|docs|examples|bench)/[\w./-]+\.(?:py|md|json|yml|conf|sql))(?:`|::)")
NAMED = re.compile(r"`([\w/]+\.py)` `(\w+(?:\.\w+)?)`")
METHOD = re.compile(r"`([A-Z]\w+\.\w+)`")
DOCUMENTS = [
    name
    for name in subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    if (ROOT / name).exists()
]


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_and_paths_exist(name: str) -> None:
    document = ROOT / name
    text = document.read_text()
    broken = [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    for file, anchor in LINK.findall(text):
        target = (document.parent / file).resolve() if file else document
        if not target.exists() or (anchor and target.suffix == ".md" and anchor[1:] not in anchors(target)):
            broken.append(file + anchor)

    assert broken == []


def names_in(file: Path) -> set[str]:
    """The functions, classes, methods and variables of a file."""
    names: set[str] = set()
    for node in ast.parse(file.read_text()).body if file.exists() else ():
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
            names |= {f"{node.name}.{each.name}" for each in methods}
    return names


def test_every_function_of_the_architecture_stands_where_the_page_says() -> None:
    text, steps = ((ROOT / name).read_text() for name in ("docs/architecture.md", "examples/notices/README.md"))
    named = NAMED.findall(text)
    methods = set().union(*(names_in(file) for folder in ("shared", "deploy") for file in (ROOT / folder).rglob("*.py")))

    assert len(named) > 50
    assert [(path, name) for path, name in named if name not in names_in(ROOT / path) | names_in(ROOT / "shared" / path)] == []
    assert set(METHOD.findall(text + steps)) - methods == set()


def test_the_architecture_has_two_pages() -> None:
    assert len((ROOT / "docs" / "architecture.md").read_text().splitlines()) <= 130
