"""Maps the checks of boxes, and what they have found, to answers. Views do not query."""

from collections.abc import Iterable, Sequence

from services.certificates.domain.boxes.check import Check, Found
from shared.contracts.certificates.checking import BoxCheck, BoxChecks, BoxProblem, CheckLevel, DraftProblems
from shared.refusals import LANGUAGES

MAX_PROBLEMS = 500


def draft_problems(found: Sequence[Found]) -> DraftProblems:
    """All problems of a draft."""
    return DraftProblems(problems=tuple(map(_problem, found[:MAX_PROBLEMS])), count=len(found))


def box_checks(checks: Iterable[Check]) -> BoxChecks:
    """The rules of all boxes."""
    return BoxChecks(
        checks=tuple(
            BoxCheck(check=each.name, box=each.box, level=CheckLevel(each.level), source=each.source, meaning=each.meaning)
            for each in checks
        )
    )


def _problem(found: Found) -> BoxProblem:
    check, problem = found.check, found.problem
    return BoxProblem(
        box=check.box,
        item=found.item,
        level=CheckLevel(check.level),
        check=check.name,
        source=check.source,
        code=problem.code,
        fields=problem.fields,
        values=problem.values,
        text={language: problem.sentence(language) for language in LANGUAGES},
    )
