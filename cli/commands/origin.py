"""`co origin`: assesses the origin of goods offline, by the rules that come with this release or by a file."""

import json
from codecs import BOM_UTF8
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from cyclopts import App, Parameter
from pydantic import ValidationError

from cli.output import plain
from cli.target import CommandFailed
from services.certificates.domain.origin.statement import TooManyMaterials
from services.certificates.origin_print import printed
from services.certificates.origin_rules import KnownRules, RuleFileFaulty, digest_of, read_rules_file, rules_for, shipped_rules
from services.certificates.origin_schemas import SCHEMAS, schema_text
from services.certificates.origin_views import assessment_of, problems_of
from shared.contracts.certificates.origin import CostStatement
from shared.contracts.fields import Language
from shared.contracts.messages import Refusal
from shared.refusals import Refused

MAX_FILE = 4 * 1024 * 1024
MAX_PROBLEMS = 50


class StatementMalformed(Refused):
    code = "cost_statement_malformed"


app = App(name="origin", help="Origin: assess a cost statement by the rules of a form.")


@app.command
def assess(
    file: Path,
    *,
    form: str,
    on: str | None = None,
    claim: str | None = None,
    rules: Path | None = None,
    language: Language = "en",
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """Assess a cost statement offline. Exits with 1 if the goods do not originate, and with 2 if the statement is faulty.

    Parameters
    ----------
    file
        The cost statement, as JSON. `co origin schema cost-statement` prints its schema.
    form
        The form, such as D.
    on
        The day of the assessment. Today, if it is not given.
    claim
        A criterion to check, in the words of box 8, such as `CTH` or `40%`.
    rules
        A file of rules, instead of those of this release.
    language
        The language of the worksheet: en or km.
    as_json
        Print the assessment as JSON.
    """
    day = day_in(on)
    try:
        known = rules_for(form, day, (_rules_in(rules),) if rules else shipped_rules())
    except Refused as refused:
        raise CommandFailed(refused.detail) from None
    stated = _statement_in(file)
    problems = stated if isinstance(stated, list) else problems_of(stated, known, claim)
    if problems or isinstance(stated, list):
        _print_problems(problems[:MAX_PROBLEMS], language, as_json)
        return 2
    assessment = assessment_of(stated, known, day, claim)
    plain().print(assessment.model_dump_json() if as_json else printed(assessment, language).rstrip())
    return 0 if assessment.qualifies else 1


@app.command
def schema(name: Literal["cost-statement", "origin-assessment", "origin-rules"]) -> None:
    """Print a JSON Schema.

    Parameters
    ----------
    name
        cost-statement and origin-assessment: what `co origin assess` reads and prints. origin-rules: a file of rules.
    """
    plain().print(schema_text(SCHEMAS[name]), end="")


def day_in(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).astimezone(ZoneInfo("Asia/Phnom_Penh")).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandFailed(f"{text} is not a day. Write it as 2026-11-27.") from None


def read_file(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE + 1)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.") from None
    if len(content) > MAX_FILE:
        raise CommandFailed(f"{file} has more than {MAX_FILE // 1024 // 1024} MB.")
    return content.removeprefix(BOM_UTF8)


def _rules_in(file: Path) -> KnownRules:
    try:
        content, rules = read_rules_file(read_file(file))
    except RuleFileFaulty as faulty:
        raise CommandFailed("\n".join([f"{file} is refused.", *map(str, faulty.faults)])) from None
    return KnownRules(rules, digest_of(content), shipped=False)


def _statement_in(file: Path) -> CostStatement | list[Refused]:
    """The statement, or the faults of the file."""
    try:
        return CostStatement.model_validate_json(read_file(file))
    except ValidationError as error:
        return [_fault(each) for each in error.errors(include_url=False)]


def _fault(error: Any) -> Refused:
    """What pydantic says of a field, as a refusal."""
    field = ".".join(map(str, error["loc"])) or "file"
    if error["type"] == "too_long" and field == "materials":
        return TooManyMaterials(field, most=error["ctx"]["max_length"])
    return StatementMalformed(field, fault=error["msg"])


def _print_problems(problems: Sequence[Refused], language: Language, as_json: bool) -> None:
    if as_json:
        found = [Refusal(code=each.code, detail=each.detail, fields=each.fields, values=each.values) for each in problems]
        plain().print(json.dumps({"problems": [each.model_dump(mode="json") for each in found]}, ensure_ascii=False))
        return
    for each in problems:
        plain().print(f"{', '.join(each.fields)}: {each.sentence(language)}")
