"""Every link and every path in the documents leads somewhere."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)?(#[^)\s]+)?\)")
PATH = re.compile(r"`((?:shared|services|cli|deploy|tests|docs|examples|bench)/[\w./-]+\.(?:py|md|json|yml|conf|sql))(?:`|::)")
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
