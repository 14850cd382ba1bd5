"""The assessment of a cost statement: does it originate, why, and what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.certificates.domain.origin.evaluation import Case, judge
from services.certificates.domain.origin.exact import plain, reaches
from services.certificates.domain.origin.materials import Standing, judged
from services.certificates.domain.origin.rule import PRODUCED_EXCLUSIVELY, WHOLLY_OBTAINED, Alternative
from services.certificates.domain.origin.rule_set import RuleLine, RuleSet
from services.certificates.domain.origin.statement import CostStatement, faults_of
from services.certificates.domain.origin.verdict import Content, Finding, Verdict
from shared.refusals import refuse_together


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The result, with all figures. `listed`: a rule for this HS code was found; otherwise the general rule applies.

    `partial`: the regional value content if the goods can be offered for partial cumulation.
    """

    case: Case
    on: date
    listed: bool
    verdicts: tuple[Verdict, ...]
    notes: tuple[Finding, ...]
    partial: Content | None

    @property
    def best(self) -> Verdict | None:
        """The alternative whose text stands in box 8: the first by preference, then in the order of the rule."""
        met = [verdict for verdict in self.verdicts if verdict.met and verdict.counts]
        return min(met, key=lambda verdict: verdict.preference, default=None)

    @property
    def qualifies(self) -> bool:
        """Whether the goods originate."""
        return self.best is not None

    @property
    def box8(self) -> str | None:
        """The text of box 8; None if the goods do not originate."""
        return self.best.box8 if self.best else None

    @property
    def box13(self) -> tuple[str, ...]:
        """The ticks of box 13 that follow from the origin."""
        return self.best.box13 if self.best else ()

    @property
    def pc_offer(self) -> str | None:
        """The text of box 8 for partial cumulation, which gives no preference by itself (Art. 30(2))."""
        return f"PC {self.partial.shown}%" if self.partial else None


def assess(statement: CostStatement, rules: RuleSet, on: date) -> Assessment:
    """Assesses a statement by the rules of a form, on a day. Raises the faults of the statement, OriginRulesNotInForce."""
    rules.must_be_in_force(on)
    refuse_together(faults_of(statement, rules))
    line, listed = rules.line_for(statement.hs)
    case = Case(
        statement=statement,
        rules=rules,
        line=line,
        materials=judged(statement, rules),
        processes=frozenset(rules.process(name) for name in statement.processes),
    )
    verdicts = tuple(_verdicts(case, rules, line))
    return Assessment(
        case=case,
        on=on,
        listed=listed,
        verdicts=verdicts,
        notes=tuple(_notes(case, listed)),
        partial=_partial(case, verdicts),
    )


def _verdicts(case: Case, rules: RuleSet, line: RuleLine) -> Iterator[Verdict]:
    """Wholly obtained and produced exclusively come first; each alternative stands once."""
    always = ((WHOLLY_OBTAINED, "WO"), (PRODUCED_EXCLUSIVELY, "PE"))
    given: tuple[Alternative, ...] = tuple(each for each, kind in always if kind in rules.criteria)
    own = tuple(dict.fromkeys((*given, *line.rule.alternatives)))
    yield from (judge(alternative, case) for alternative in own)
    if line.part_of_subheading:
        others = (each for each in rules.general.rule.alternatives if each not in own)
        yield from (judge(alternative, case, counts=False) for alternative in others)


def _partial(case: Case, verdicts: tuple[Verdict, ...]) -> Content | None:
    partial, content = case.rules.partial, case.content
    if partial is None or case.only_minimal or any(verdict.met and verdict.counts for verdict in verdicts):
        return None
    enough = reaches(content.part, content.fob, partial.least)
    return content if enough and not reaches(content.part, content.fob, partial.below) else None


def _notes(case: Case, listed: bool) -> Iterator[Finding]:
    """What an officer must know besides the verdicts."""
    statement, rules, standings = case.statement, case.rules, {each.standing for each in case.materials.judged}
    if not listed:
        yield Finding("product_rule_none" if rules.complete else "product_rule_not_loaded", {"rule": str(case.line.rule)})
    if case.line.part_of_subheading:
        yield Finding("part_of_subheading", {"general": str(rules.general.rule), "article": case.line.article})
    if not statement.processes:
        yield Finding("processes_not_stated")
    if case.line.process_rules and (unknown := sorted(case.processes - rules.processes.keys())):
        yield Finding("processes_unknown", {"processes": ", ".join(unknown)})
    if Standing.PRESUMED in standings:
        yield Finding("local_materials_presumed", {"country": rules.country})
    if any(each.material.originating and each.material.origin is None for each in case.materials.judged):
        yield Finding("origin_of_material_not_stated")
    not_stated = [name for name, cost in statement.costs.items() if cost is None]
    if not_stated and not statement.wholly_obtained:
        yield Finding("costs_not_stated", {"costs": ", ".join(not_stated)})
    elif not not_stated and statement.stated_total != statement.fob:
        values = {"total": plain(statement.stated_total), "fob": plain(statement.fob), "currency": statement.currency}
        yield Finding("total_is_not_fob", values)
