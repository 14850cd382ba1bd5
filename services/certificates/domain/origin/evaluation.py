"""Evaluates the criteria of a rule on a cost statement."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from services.certificates.domain.origin.exact import ZERO, minus, percent_of, plain, plus, reaches, up_to_cents
from services.certificates.domain.origin.materials import Materials
from services.certificates.domain.origin.rule import Alternative, Requirement
from services.certificates.domain.origin.rule_set import RuleLine, RuleSet, RvcMethod
from services.certificates.domain.origin.statement import CostStatement
from services.certificates.domain.origin.verdict import Content, Finding, Judged, Verdict


@dataclass(frozen=True, kw_only=True)
class Case:
    """A statement with its rule, and what was found of its materials and processes."""

    statement: CostStatement
    rules: RuleSet
    line: RuleLine
    materials: Materials
    processes: frozenset[str]

    @property
    def only_minimal(self) -> bool:
        """Whether all stated processes are minimal operations. They never confer origin (Art. 31)."""
        return bool(self.processes) and self.processes <= self.rules.minimal

    @cached_property
    def content(self) -> Content:
        """The regional value content by the method of the state."""
        return self.direct if self.rules.method is RvcMethod.DIRECT else self.indirect

    @cached_property
    def direct(self) -> Content:
        """Originating materials, labour, overhead, other costs and profit. A cost that was not stated counts as zero."""
        costs = (cost for cost in self.statement.costs.values() if cost is not None)
        return Content(part=plus(self.materials.originating, *costs), fob=self.statement.fob)

    @cached_property
    def indirect(self) -> Content:
        """The FOB value without non-originating materials."""
        return Content(part=minus(self.statement.fob, self.materials.non_originating), fob=self.statement.fob)


def judge(alternative: Alternative, case: Case, *, counts: bool = True) -> Verdict:
    """The verdict on one alternative of a rule."""
    return Verdict(
        alternative=alternative,
        parts=tuple(_judge(requirement, case) for requirement in alternative.requirements),
        content=case.content,
        accumulated=case.materials.accumulated,
        counts=counts,
    )


def _judge(requirement: Requirement, case: Case) -> Judged:
    if requirement.kind == "WO":
        return _wholly_obtained(requirement, case)
    if case.only_minimal:
        values = {"processes": ", ".join(sorted(case.processes)), "article": case.rules.minimal_article}
        return Judged(requirement=requirement, met=False, finding=Finding("minimal_operations", values))
    if requirement.kind == "PE":
        return _produced_exclusively(requirement, case)
    if requirement.kind == "RVC":
        return _content(requirement, requirement.percent or ZERO, case)
    return _change(requirement, case) if requirement.is_change else _processes(requirement, case)


def _wholly_obtained(requirement: Requirement, case: Case) -> Judged:
    home = case.rules.country
    foreign = tuple(
        each.number for each in case.materials.judged if not each.is_originating or each.material.origin not in (None, home)
    )
    if not case.statement.wholly_obtained:
        return Judged(requirement=requirement, met=False, finding=Finding("wo_not_stated"))
    if foreign:
        finding = Finding("wo_foreign_materials", {"numbers": _numbers(foreign)})
        return Judged(requirement=requirement, met=False, finding=finding, failing=foreign)
    return Judged(requirement=requirement, met=True, finding=Finding("wo_met"))


def _produced_exclusively(requirement: Requirement, case: Case) -> Judged:
    failing = tuple(each.number for each in case.materials.judged if not each.is_originating)
    if failing:
        finding = Finding("pe_not_met", {"numbers": _numbers(failing)})
        return Judged(requirement=requirement, met=False, finding=finding, failing=failing)
    return Judged(requirement=requirement, met=True, finding=Finding("pe_met"))


def _content(requirement: Requirement, percent: Decimal, case: Case) -> Judged:
    content, currency = case.content, case.statement.currency
    values = {"reached": content.shown, "wanted": plain(percent), "method": case.rules.method.value}
    if reaches(content.part, content.fob, percent):
        return Judged(requirement=requirement, met=True, finding=Finding("rvc_met", values))
    missing = minus(percent_of(percent, content.fob), content.part)
    values |= {"missing": plain(up_to_cents(missing)), "currency": currency}
    return Judged(requirement=requirement, met=False, finding=Finding("rvc_below", values), missing=missing)


def _change(requirement: Requirement, case: Case) -> Judged:
    failing = case.materials.failing(requirement)
    numbers = tuple(each.number for each in failing)
    name = str(requirement)
    if not failing:
        by_default = case.materials.all_originate
        finding = Finding("change_not_needed" if by_default else "change_met", {"change": name})
        return Judged(requirement=requirement, met=True, finding=finding, by_default=by_default)
    value = plus(*(each.material.value for each in failing))
    values = {
        "change": name,
        "numbers": _numbers(numbers),
        "value": plain(value),
        "currency": case.statement.currency,
    }
    if (tolerance := case.rules.de_minimis) is None:
        return Judged(
            requirement=requirement, met=False, finding=Finding("change_not_met", values), failing=numbers, missing=value
        )
    limit = percent_of(tolerance.percent, case.statement.fob)
    values |= {"limit": plain(limit), "percent": plain(tolerance.percent), "article": tolerance.article}
    if value <= limit:
        finding = Finding("change_met_de_minimis", values)
        return Judged(requirement=requirement, met=True, finding=finding, failing=numbers, tolerated=True)
    excess = minus(value, limit)
    values |= {"excess": plain(up_to_cents(excess))}
    finding = Finding("change_not_met_de_minimis", values)
    return Judged(requirement=requirement, met=False, finding=finding, failing=numbers, missing=excess)


def _processes(requirement: Requirement, case: Case) -> Judged:
    for rule in case.line.process_rules:
        if (used := rule.met_by(case.processes)) is not None:
            finding = Finding("sp_met", {"group": rule.name, "processes": ", ".join(sorted(used))})
            return Judged(requirement=requirement, met=True, finding=finding)
    if not case.line.process_rules:
        return Judged(requirement=requirement, met=False, finding=Finding("sp_no_process_rule"))
    lacking = tuple(dict.fromkeys(each for rule in case.line.process_rules for each in rule.missing(case.processes)))
    values = {
        "group": ", ".join(rule.name for rule in case.line.process_rules),
        "missing": "; ".join(" + ".join(each) for each in lacking),
    }
    if case.processes and case.processes <= case.rules.never_enough:
        values |= {"processes": ", ".join(sorted(case.processes)), "article": case.rules.never_enough_article}
        return Judged(requirement=requirement, met=False, finding=Finding("sp_never_enough", values), lacking=lacking)
    return Judged(requirement=requirement, met=False, finding=Finding("sp_not_met", values), lacking=lacking)


def _numbers(numbers: tuple[int, ...]) -> str:
    """The numbers of materials, at most twenty of them."""
    return ", ".join(map(str, numbers[:20])) + (" ..." if len(numbers) > 20 else "")
