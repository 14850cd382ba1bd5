"""A criterion that an exporter claims, in the words of box 8."""

import re
from dataclasses import dataclass
from decimal import Decimal

from services.certificates.domain.origin.assessment import Assessment
from services.certificates.domain.origin.exact import plain, reaches
from services.certificates.domain.origin.rule import CRITERIA, RuleCriterionUnknown
from services.certificates.domain.origin.rule_set import RuleSet
from services.certificates.domain.origin.verdict import PARTIAL_CUMULATION, Verdict
from shared.refusals import Refused

_PERCENT = re.compile(r"(?P<value>[0-9]{1,3}(\.[0-9]{1,6})?) ?%")


class ClaimMalformed(Refused):
    code = "origin_claim_malformed"


class ClaimBelowThreshold(Refused):
    code = "origin_claim_below_threshold"


class ClaimedPartlyOutside(Refused):
    code = "origin_claim_partial_outside"


@dataclass(frozen=True)
class Claim:
    """The kinds of criteria that are claimed together, with the percentage. `partial`: for partial cumulation."""

    kinds: frozenset[str]
    percent: Decimal | None = None
    partial: bool = False

    def is_met_by(self, assessment: Assessment) -> bool:
        """Whether the goods reach what is claimed."""
        content = assessment.case.content
        reached = self.percent is None or reaches(content.part, content.fob, self.percent)
        if self.partial:
            return assessment.pc_offer is not None and reached
        return reached and self._verdict(assessment) is not None

    def box_13(self, assessment: Assessment) -> tuple[str, ...]:
        """The ticks of box 13 that follow from what is claimed; none if the goods do not reach it."""
        if not self.is_met_by(assessment):
            return ()
        verdict = self._verdict(assessment)
        return (PARTIAL_CUMULATION,) if self.partial else verdict.box13 if verdict else ()

    def _verdict(self, assessment: Assessment) -> Verdict | None:
        """The alternative by which the goods reach the kinds of criteria; the one with the fewest reliefs."""
        met = [
            verdict
            for verdict in assessment.verdicts
            if verdict.met and verdict.counts and {part.requirement.kind for part in verdict.parts} == self.kinds
        ]
        return min(met, key=lambda verdict: verdict.preference, default=None)


def claim_in(text: str, rules: RuleSet, hs: str, field: str = "claim") -> Claim:
    """The claim in the words of box 8: `WO`, `40%`, `CTSH + 35%`, `PC 25%`.

    Raises ClaimMalformed, RuleCriterionUnknown, ClaimBelowThreshold, ClaimedPartlyOutside.
    """
    partial = text.startswith("PC ")
    kinds: list[str] = []
    percent = None
    for part in re.split(r" ?\+ ?", text.removeprefix("PC ")):
        if found := _PERCENT.fullmatch(part):
            kinds, percent = [*kinds, "RVC"], Decimal(found["value"])
        elif part in CRITERIA and part != "RVC":
            kinds.append(part)
        else:
            raise ClaimMalformed(field, claim=text[:40])
    if len(set(kinds)) != len(kinds) or (partial and kinds != ["RVC"]):
        raise ClaimMalformed(field, claim=text[:40])
    claim = Claim(frozenset(kinds), percent, partial)
    _must_be_possible(claim, rules, hs, field)
    return claim


def _must_be_possible(claim: Claim, rules: RuleSet, hs: str, field: str) -> None:
    if claim.kinds - rules.criteria or (claim.partial and rules.partial is None):
        raise RuleCriterionUnknown(field, form=rules.form, criteria=rules.criteria)
    if claim.percent is None:
        return
    if claim.partial:
        partial = rules.partial
        if partial and not partial.least <= claim.percent < partial.below:
            raise ClaimedPartlyOutside(field, least=plain(partial.least), below=plain(partial.below))
        return
    demanded = [
        each.percent
        for alternative in rules.line_for(hs)[0].rule.alternatives
        if {one.kind for one in alternative.requirements} == claim.kinds
        for each in alternative.requirements
        if each.percent is not None
    ]
    if demanded and claim.percent < min(demanded):
        raise ClaimBelowThreshold(field, form=rules.form, claimed=plain(claim.percent), wanted=plain(min(demanded)))
