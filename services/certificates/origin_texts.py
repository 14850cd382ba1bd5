"""The sentences of worksheets, in each language."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from services.certificates.domain.origin.verdict import Finding
from shared.contracts.certificates.origin import Sentence

FILE = Path(__file__).parent / "data" / "origin_texts.json"
Texts = Mapping[str, Mapping[str, str]]

_CODE = re.compile(r"[a-z][a-z_]*")
_CODED = frozenset({"processes", "missing", "costs", "group", "method"})
"""The values of findings that consist of codes."""


@cache
def texts(kind: str) -> Texts:
    """The texts of a kind (`findings`, `words`, `labels`) by code."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found[kind]  # type: ignore[no-any-return]


def sentence_of(finding: Finding, processes: Texts) -> Sentence:
    """The sentence of a finding. `processes`: the names of processes by code, as the rules give them."""
    return Sentence(code=finding.code, en=_text(finding, "en", processes), km=_text(finding, "km", processes))


def label(code: str, language: str) -> str:
    """A heading or a word of the printed worksheet."""
    return texts("labels")[code][language]


def _text(finding: Finding, language: str, processes: Texts) -> str:
    def word(found: re.Match[str]) -> str:
        code = found.group()
        named = processes.get(code) or texts("words").get(code)
        return named[language] if named else code

    values = {name: _CODE.sub(word, value) if name in _CODED else value for name, value in finding.values.items()}
    return texts("findings")[finding.code][language].format_map(defaultdict(lambda: "?", values))
