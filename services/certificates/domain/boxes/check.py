"""A check of a box: a rule of the form with its name, its source, and when it refuses."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.certificates.domain.boxes.sheet import ITEMS, Sheet
from shared.refusals import Refused

Find = Callable[[Sheet], Iterable[Refused]]


class Level(StrEnum):
    """When a check refuses.

    `draft`: already the draft, because it cannot be stored so. `submit`: the submission; before, it is a hint. `note`: never.
    """

    DRAFT = "draft"
    SUBMIT = "submit"
    NOTE = "note"


@dataclass(frozen=True)
class Check:
    """A rule of the form. `box`: the box where the exporter corrects it. `source`: the article, rule or note."""

    name: str
    meaning: str
    box: int
    level: Level
    source: str
    find: Find


@dataclass(frozen=True)
class Found:
    """What a check has found. `item`: the number of the item, from 1; None for the whole certificate."""

    check: Check
    problem: Refused
    item: int | None


def check(box: int, source: str, level: Level = Level.SUBMIT) -> Callable[[Find], Check]:
    """Makes a check of a function. Its name is that of the function, and its meaning the docstring."""

    def made(find: Find) -> Check:
        return Check(find.__name__, (find.__doc__ or "").strip(), box, level, source, find)

    return made


def run(checks: Iterable[Check], sheet: Sheet) -> list[Found]:
    """All problems that the checks find, by box and item. The values of each problem also name its box and its item."""
    found = [_found(each, problem) for each in checks for problem in each.find(sheet)]
    return sorted(found, key=lambda each: (each.check.box, each.item or 0))


def refusal_of(rule: Callable[..., object], *arguments: object) -> Iterator[Refused]:
    """The refusal of a rule, if it refuses."""
    try:
        rule(*arguments)
    except Refused as refused:
        yield refused


def _found(check: Check, problem: Refused) -> Found:
    item = item_of(problem.fields)
    problem.values |= {"box": str(check.box)} | ({"item": str(item)} if item else {})
    return Found(check, problem, item)


def item_of(fields: Sequence[str]) -> int | None:
    """The number of the item that the first field belongs to, from 1; None for the whole certificate."""
    match = re.match(rf"{re.escape(ITEMS)}\.([0-9]+)", fields[0]) if fields else None
    return int(match[1]) + 1 if match else None
