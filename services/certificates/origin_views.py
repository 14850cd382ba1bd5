"""Maps cost statements to the domain, and assessments to the worksheet that people and programs read."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from services.certificates.domain.origin import statement as domain
from services.certificates.domain.origin.assessment import Assessment, assess
from services.certificates.domain.origin.claim import claim_in
from services.certificates.domain.origin.exact import percent_of, plain, up_to_cents
from services.certificates.domain.origin.materials import JudgedMaterial
from services.certificates.domain.origin.rule_set import RvcMethod
from services.certificates.domain.origin.verdict import Content, Finding, Judged, Verdict
from services.certificates.origin_rules import KnownRules
from services.certificates.origin_texts import sentence_of
from shared.contracts.certificates import origin
from shared.refusals import Refused, refuse_together


def statement_of(stated: origin.CostStatement) -> domain.CostStatement:
    """A cost statement as a company states it."""
    return domain.CostStatement(
        goods=stated.goods,
        hs=stated.hs,
        fob=stated.fob,
        currency=stated.currency,
        wholly_obtained=stated.wholly_obtained,
        processes=stated.processes,
        labour=stated.labour,
        overhead=stated.overhead,
        other=stated.other,
        profit=stated.profit,
        materials=tuple(material_of(each) for each in stated.materials),
    )


def material_of(stated: origin.Material) -> domain.Material:
    """One material of a statement."""
    return domain.Material(
        description=stated.description,
        hs=stated.hs,
        value=stated.value,
        origin=stated.origin,
        originating=stated.originating,
        pc_share=stated.pc_share,
    )


def problems_of(stated: origin.CostStatement, known: KnownRules, claim: str | None = None, at: str = "") -> list[Refused]:
    """Everything that makes an assessment impossible. `at`: where the statement stands, such as `statement.`."""
    problems = list(domain.faults_of(statement_of(stated), known.rules))
    for problem in problems:
        problem.fields = tuple(f"{at}{field}" for field in problem.fields)
    if claim is not None:
        try:
            claim_in(claim, known.rules, stated.hs)
        except Refused as refused:
            problems.append(refused)
    return problems


def assessment_of(
    stated: origin.CostStatement, known: KnownRules, on: date, claim: str | None = None, at: str = ""
) -> origin.OriginAssessment:
    """The assessment of a statement. Raises its problems together."""
    refuse_together(problems_of(stated, known, claim, at))
    assessment = assess(statement_of(stated), known.rules, on)
    result = assessment_view(assessment, shipped=known.shipped)
    if claim is None:
        return result
    claimed = claim_in(claim, known.rules, stated.hs)
    verdict = origin.ClaimVerdict(criterion=claim, met=claimed.is_met_by(assessment), box13=claimed.box_13(assessment))
    return result.model_copy(update={"claim": verdict})


def assessment_view(assessment: Assessment, *, shipped: bool) -> origin.OriginAssessment:
    """An assessment with its worksheet."""
    return origin.OriginAssessment(
        qualifies=assessment.qualifies,
        box8=assessment.box8,
        box13=assessment.box13,
        alternatives=tuple(_alternative(verdict, assessment) for verdict in assessment.verdicts),
        pc_offer=assessment.pc_offer,
        reasons=_sentences(_reasons(assessment), assessment),
        worksheet=_worksheet(assessment, shipped),
    )


def _reasons(assessment: Assessment) -> Iterator[Finding]:
    """Why the goods originate, or why they meet no alternative."""
    verdicts = [assessment.best] if assessment.best else [each for each in assessment.verdicts if each.counts]
    found = (part.finding for verdict in verdicts for part in verdict.parts if part.met is assessment.qualifies)
    seen = []
    for finding in found:
        if finding not in seen:
            seen.append(finding)
    yield from seen
    if (content := assessment.partial) and (partial := assessment.case.rules.partial):
        yield Finding("partial_cumulation", {"reached": content.shown, "article": partial.article})


def _sentences(findings: Iterable[Finding], assessment: Assessment) -> tuple[origin.Sentence, ...]:
    return tuple(sentence_of(finding, assessment.case.rules.processes) for finding in findings)


def _alternative(verdict: Verdict, assessment: Assessment) -> origin.OriginAlternative:
    return origin.OriginAlternative(
        rule=str(verdict.alternative),
        met=verdict.met,
        counts=verdict.counts,
        box8=verdict.box8,
        box13=verdict.box13,
        reasons=_sentences((part.finding for part in verdict.parts), assessment),
        missing=tuple(_gap(part) for part in verdict.parts if not part.met),
    )


def _gap(part: Judged) -> origin.Gap:
    return origin.Gap(
        criterion=str(part.requirement),
        value=None if part.missing is None else up_to_cents(part.missing),
        materials=part.failing,
        processes=part.lacking,
    )


def _worksheet(assessment: Assessment, shipped: bool) -> origin.OriginWorksheet:
    case, rules = assessment.case, assessment.case.rules
    statement, materials = case.statement, case.materials
    tolerance = rules.de_minimis
    return origin.OriginWorksheet(
        goods=statement.goods,
        hs=statement.hs,
        assessed_on=assessment.on,
        rules=origin.AppliedRules(
            form=rules.form,
            agreement=rules.agreement,
            version=rules.version,
            valid_from=rules.valid_from,
            country=rules.country,
            source=rules.source,
            shipped=shipped,
        ),
        rule=str(case.line.rule),
        article=case.line.article,
        listed=assessment.listed,
        part_of_subheading=case.line.part_of_subheading,
        currency=statement.currency,
        fob=_shown(statement.fob),
        materials_value=_shown(statement.value_of_materials),
        originating_value=_shown(materials.originating),
        non_originating_value=_shown(materials.non_originating),
        labour=_shown_if(statement.labour),
        overhead=_shown_if(statement.overhead),
        other=_shown_if(statement.other),
        profit=_shown_if(statement.profit),
        stated_total=_shown(statement.stated_total),
        tolerated_value=_shown(percent_of(tolerance.percent, statement.fob)) if tolerance else None,
        rvc=(
            _content(RvcMethod.DIRECT, case.direct, rules.method),
            _content(RvcMethod.INDIRECT, case.indirect, rules.method),
        ),
        wholly_obtained=statement.wholly_obtained,
        processes=tuple(_process(code, assessment) for code in sorted(case.processes)),
        materials=tuple(_material(each, assessment.verdicts) for each in materials.judged),
        notes=_sentences(assessment.notes, assessment),
        checks=tuple(origin.WorksheetCheck(article=each.article, **each.text) for each in rules.checks),
        box8=assessment.box8,
        box13=assessment.box13,
    )


def _content(method: RvcMethod, content: Content, applied: RvcMethod) -> origin.RegionalValueContent:
    return origin.RegionalValueContent(
        method=origin.RvcMethod(method),
        part=_shown(content.part),
        fob=_shown(content.fob),
        percent=Decimal(content.shown),
        applied=method is applied,
    )


def _process(code: str, assessment: Assessment) -> origin.WorksheetProcess:
    rules = assessment.case.rules
    text = rules.processes.get(code)
    shown = code.replace("_", " ")
    return origin.WorksheetProcess(
        code=code,
        en=text["en"] if text else shown,
        km=text["km"] if text else shown,
        known=text is not None,
        minimal=code in rules.minimal,
    )


def _material(judged: JudgedMaterial, verdicts: Iterable[Verdict]) -> origin.MaterialVerdict:
    material = judged.material
    failed = dict.fromkeys(str(part.requirement) for each in verdicts for part in each.parts if judged.number in part.failing)
    return origin.MaterialVerdict(
        number=judged.number,
        description=material.description,
        hs=material.hs,
        origin=material.origin,
        value=_shown(material.value),
        standing=origin.Standing(judged.standing),
        originating_value=_shown(judged.originating_value),
        non_originating_value=_shown(judged.non_originating_value),
        pc_share=_shown_if(material.pc_share),
        change=judged.change,
        fails=tuple(failed),
    )


def _shown(value: Decimal) -> Decimal:
    """A figure without an exponent and without zeros at its end. Its value does not change."""
    return Decimal(plain(value))


def _shown_if(value: Decimal | None) -> Decimal | None:
    return None if value is None else _shown(value)
