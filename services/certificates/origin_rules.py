"""Reads a file of origin rules. Every fault of a file is reported with its line or field."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from services.certificates.domain.origin.exact import HUNDRED, ZERO
from services.certificates.domain.origin.notation import RuleMalformed, parse_rule
from services.certificates.domain.origin.rule import RuleCriterionUnknown
from services.certificates.domain.origin.rule_set import (
    Check,
    DeMinimis,
    PartialCumulation,
    ProcessRule,
    RuleLine,
    RuleSet,
    RvcMethod,
)
from shared.contracts.certificates.origin_rules import BothLanguages, OriginRulesFile
from shared.refusals import Refused

MAX_FILE = 4 * 1024 * 1024
MAX_FAULTS = 50
SHIPPED = tuple(sorted((Path(__file__).parent / "data").glob("origin_rules_*.json")))
"""The files that come with this release."""


@dataclass(frozen=True)
class Fault:
    """What is wrong in a file, at a line or a field."""

    at: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.at}: {self.sentence}"


class OriginRulesUnknown(Refused):
    code = "origin_rules_unknown"


class RuleFileFaulty(Exception):
    """A file of rules has faults; at most fifty are listed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)[:MAX_FAULTS]
        super().__init__("; ".join(map(str, self.faults)))


@dataclass(frozen=True)
class KnownRules:
    """A set of rules, and whether it came with this release. `digest`: the SHA-256 of its content."""

    rules: RuleSet
    digest: str
    shipped: bool
    loaded_at: datetime | None = None


def rules_for(form: str, on: date, known: Iterable[KnownRules], field: str = "form") -> KnownRules:
    """The rules of a form in force on a day. Loaded ones precede those of the release, and the last of a day its others.

    Raises OriginRulesUnknown."""
    every = tuple(known)
    begun = [each for each in every if each.rules.form == form and each.rules.valid_from <= on]
    if not begun:
        raise OriginRulesUnknown(field, form=form, day=on, forms={each.rules.form for each in every})
    return max(reversed(begun), key=lambda each: (each.rules.valid_from, not each.shipped))


def canonical(file: OriginRulesFile) -> str:
    """The content of a file in one form. It does not depend on spaces or on the order of fields."""
    content = file.model_dump(mode="json", exclude_unset=True)
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest_of(file: OriginRulesFile) -> str:
    """The SHA-256 of the content of a file."""
    return hashlib.sha256(canonical(file).encode()).hexdigest()


def read_rules_file(content: bytes) -> tuple[OriginRulesFile, RuleSet]:
    """The file and its rules. Raises RuleFileFaulty."""
    if len(content) > MAX_FILE:
        raise RuleFileFaulty([Fault("file", f"it has more than {MAX_FILE} bytes: divide it by forms")])
    try:
        text = content.decode("utf-8-sig")
        json.loads(text, object_pairs_hook=_without_duplicates)
    except UnicodeDecodeError:
        raise RuleFileFaulty([Fault("file", "it is not in UTF-8: save it again as UTF-8")]) from None
    except json.JSONDecodeError as error:
        raise RuleFileFaulty([Fault(f"line {error.lineno}, column {error.colno}", f"this is not JSON: {error.msg}")]) from None
    except RecursionError:
        raise RuleFileFaulty([Fault("file", "its values are nested too deeply")]) from None
    try:
        file = OriginRulesFile.model_validate_json(text)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RuleFileFaulty([Fault(".".join(map(str, each["loc"])) or "file", each["msg"]) for each in found]) from None
    faults = list(_faults_of(file))
    if faults:
        raise RuleFileFaulty(faults)
    return file, rule_set_of(file)


def rule_set_of(file: OriginRulesFile) -> RuleSet:
    """The rules of a file without faults."""
    processes = {
        name: ProcessRule(name, tuple(map(frozenset, each.any_of)), _texts(each.text))
        for name, each in file.process_rules.items()
    }
    lines: dict[str, RuleLine] = {}
    for each in file.product_rules:
        line = RuleLine(
            rule=parse_rule(each.rule),
            article=each.article,
            process_rules=tuple(processes[name] for name in each.process_rules),
            part_of_subheading=each.part_of_subheading,
        )
        lines |= dict.fromkeys(each.hs, line)
    tolerance, partial = file.de_minimis, file.partial_cumulation
    minimal, never = file.minimal_operations, file.never_enough
    return RuleSet(
        form=file.form,
        agreement=file.agreement,
        version=file.version,
        valid_from=file.valid_from,
        source=file.source,
        country=file.country,
        members=frozenset(file.members),
        criteria=frozenset(file.criteria),
        method=RvcMethod(file.rvc_method),
        general=RuleLine(rule=parse_rule(file.general_rule.rule), article=file.general_rule.article),
        lines=lines,
        complete=file.complete,
        de_minimis=DeMinimis(tolerance.percent, tolerance.article) if tolerance else None,
        accumulation=file.accumulation.article if file.accumulation else None,
        partial=PartialCumulation(partial.least, partial.below, partial.article) if partial else None,
        minimal=frozenset(minimal.processes) if minimal else frozenset(),
        minimal_article=minimal.article if minimal else "",
        never_enough=frozenset(never.processes) if never else frozenset(),
        never_enough_article=never.article if never else "",
        processes={code: _texts(each.text) for code, each in file.processes.items()},
        aliases={alias: code for code, each in file.processes.items() for alias in each.aliases},
        checks=tuple(Check(each.article, _texts(each.text)) for each in file.checks),
    )


@cache
def shipped_rules() -> tuple[KnownRules, ...]:
    """The rules that come with this release."""
    found = [read_rules_file(file.read_bytes()) for file in SHIPPED]
    return tuple(KnownRules(rules, digest_of(file), shipped=True) for file, rules in found)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        again = next(name for name in names if names.count(name) > 1)
        raise RuleFileFaulty([Fault("file", f'the name "{again[:60]}" stands twice in one object')])
    return found


def _texts(text: BothLanguages) -> dict[str, str]:
    return {"en": text.en, "km": text.km}


def _faults_of(file: OriginRulesFile) -> Iterator[Fault]:
    """Faults that one field alone does not show."""
    yield from _faults_of_rule(file.general_rule.rule, "general_rule.rule", file)
    known: dict[str, int] = {}
    for index, each in enumerate(file.product_rules):
        yield from _faults_of_rule(each.rule, f"product_rules.{index}.rule", file)
        for at, hs in enumerate(each.hs):
            if hs in known:
                yield Fault(f"product_rules.{index}.hs.{at}", f"{hs} stands in product_rules.{known[hs]} already: name it once")
            known[hs] = index
        for at, name in enumerate(each.process_rules):
            if name not in file.process_rules:
                yield Fault(f"product_rules.{index}.process_rules.{at}", f"there is no rule {name} in process_rules")
    yield from _faults_of_processes(file)
    yield from _faults_of_percents(file)
    if file.country not in file.members:
        yield Fault("members", f"{file.country}, the state that applies these rules, is not among the members")


def _faults_of_rule(text: str, field: str, file: OriginRulesFile) -> Iterator[Fault]:
    try:
        parse_rule(text, field).must_use_only(file.criteria, file.form, field)
    except (RuleMalformed, RuleCriterionUnknown) as error:
        yield Fault(field, error.detail)


def _faults_of_processes(file: OriginRulesFile) -> Iterator[Fault]:
    used = [(f"process_rules.{name}.any_of", set().union(*each.any_of)) for name, each in file.process_rules.items()]
    if file.minimal_operations:
        used.append(("minimal_operations.processes", set(file.minimal_operations.processes)))
    if file.never_enough:
        used.append(("never_enough.processes", set(file.never_enough.processes)))
    for field, codes in used:
        for code in sorted(codes - file.processes.keys()):
            yield Fault(field, f"there is no process {code} in processes")
    names: dict[str, str] = {}
    for code, each in file.processes.items():
        for alias in each.aliases:
            if alias in file.processes or alias in names:
                yield Fault(f"processes.{code}.aliases", f"{alias} is the name of {names.get(alias, alias)} already")
            names[alias] = code


def _faults_of_percents(file: OriginRulesFile) -> Iterator[Fault]:
    if (tolerance := file.de_minimis) and not ZERO < tolerance.percent <= HUNDRED:
        yield Fault("de_minimis.percent", "write a percentage above 0 and at most 100")
    if (partial := file.partial_cumulation) and not ZERO < partial.least < partial.below <= HUNDRED:
        yield Fault("partial_cumulation", "`least` must be above 0 and below `below`, which is at most 100")
