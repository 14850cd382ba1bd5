"""Refusals by a rule, and failures that a retry may resolve. Standard library only: every domain may import this.

A refusal is a code with named values. Its sentence is data: `data/refusals.<language>.json`, by code, or by `code.variant`
where one code has several sentences.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

LANGUAGES = ("en", "km")

DATA = Path(__file__).parent / "data"

MAX_PROBLEMS = 200
"""Problems that one refusal lists."""


class Refused(Exception):
    """A rule refuses the request. A subclass has a code and one sentence, with a placeholder for each of its values.

    `fields`: the names of the fields of the request that caused it. `problems`: each of several problems; otherwise empty.
    """

    code: ClassVar[str] = "refused"
    variant: ClassVar[str] = ""

    def __init__(self, *fields: str, **values: object) -> None:
        super().__init__(*fields)
        self.fields = fields
        self.values = {name: _text(value) for name, value in values.items()}
        self.problems: tuple[Refused, ...] = ()

    def listing(self, problems: Iterable["Refused"]) -> "Refused":
        """The same refusal with each of its problems, at most 200."""
        self.problems = tuple(problems)[:MAX_PROBLEMS]
        return self

    @classmethod
    def key(cls) -> str:
        """The key of the sentence."""
        return f"{cls.code}.{cls.variant}" if cls.variant else cls.code

    def sentence(self, language: str) -> str:
        """The sentence for the user: the problem and what to do. Falls back to English, then to the code."""
        template = sentences(language).get(self.key()) or sentences("en").get(self.key()) or self.code
        return template.format_map(defaultdict(lambda: "?", self.values))

    @property
    def detail(self) -> str:
        """The sentence in English."""
        return self.sentence("en")

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def __reduce__(self) -> tuple[Callable[..., "Refused"], tuple[Any, ...]]:
        return _restored, (type(self), self.fields, self.values, self.problems)


class TemporarilyUnavailable(Refused):
    code = "temporarily_unavailable"


class InternalError(Refused):
    code = "internal_error"


class SeveralProblems(Refused):
    code = "several_problems"


class Unavailable(Exception):
    """A dependency does not answer now; a retry may succeed."""


def refuse_together(problems: Iterable[Refused]) -> None:
    """Raises the only problem, or SeveralProblems with each of them. Raises nothing if there is none."""
    found = list(problems)
    if len(found) == 1:
        raise found[0]
    if found:
        fields = dict.fromkeys(field for problem in found[:MAX_PROBLEMS] for field in problem.fields)
        raise SeveralProblems(*fields, count=len(found)).listing(found)


@cache
def sentences(language: str) -> Mapping[str, str]:
    """The sentences of a language by key; none for an unknown language."""
    if language not in LANGUAGES:
        return {}
    found: dict[str, str] = json.loads((DATA / f"refusals.{language}.json").read_text(encoding="utf-8"))
    return found


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, (set, frozenset)):
        return ", ".join(sorted(map(str, value)))
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)


def _restored(kind: type[Refused], fields: tuple[str, ...], values: dict[str, str], problems: tuple[Refused, ...]) -> Refused:
    return kind(*fields, **values).listing(problems)
