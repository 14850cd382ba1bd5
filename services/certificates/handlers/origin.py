"""The origin of goods: people assess cost statements, and an operator loads and shows the rules."""

from services.certificates.origin_rules import KnownRules, RuleFileFaulty, digest_of, read_rules_file, rules_for
from services.certificates.origin_rules_views import shown_rules
from services.certificates.origin_views import assessment_of
from services.certificates.store import origin_rules as store
from shared.contracts.certificates.origin import AssessOrigin, OriginAssessment
from shared.contracts.certificates.origin_rules import LoadOriginRules, OriginRulesLoaded, ShownOriginRules, ShowOriginRules
from shared.handling.router import Router
from shared.handling.work import Work
from shared.refusals import Refused

router = Router()


class OriginRulesAltered(Refused):
    code = "origin_rules_altered"


class OriginRulesFaulty(Refused):
    code = "origin_rules_faulty"


class OriginRulesOfOtherCountry(Refused):
    code = "origin_rules_of_other_country"


class OriginRulesVersionTaken(Refused):
    code = "origin_rules_version_taken"


@router.answers(AssessOrigin)
async def assess_origin(question: AssessOrigin, work: Work) -> OriginAssessment:
    """Do these goods originate? Nothing is stored, so an exporter can ask before it registers a product."""
    on = question.on or work.today
    known = rules_for(question.form, on, await store.known_rules(work))
    return assessment_of(question.statement, known, on, question.claim, at="statement.")


@router.answers(LoadOriginRules)
async def load_origin_rules(command: LoadOriginRules, work: Work) -> OriginRulesLoaded:
    """An operator loads a part of a file of rules. With the last part the rules are used from their day on."""
    rule_set_id = store.rule_set_id_of(command.sha256)
    known = await store.known_rules(work)
    if any(each.digest == command.sha256 for each in known) or await store.is_loaded(work, rule_set_id):
        return OriginRulesLoaded(rule_set_id=rule_set_id, received=command.parts, complete=True, unchanged=True)
    received = await store.keep_part(work, rule_set_id, command.number, command.content)
    if received < command.parts:
        return OriginRulesLoaded(rule_set_id=rule_set_id, received=received, complete=False)

    content = await store.content_of(work, rule_set_id)
    await must_be_loadable(rules := rules_in(content, command.sha256), work)

    await store.add_rules(work, rule_set_id, rules, content)
    return OriginRulesLoaded(rule_set_id=rule_set_id, received=received, complete=True)


@router.answers(ShowOriginRules)
async def show_origin_rules(question: ShowOriginRules, work: Work) -> ShownOriginRules:
    """Which rules are known, and which are in force?"""
    return shown_rules(await store.known_rules(work), question.form, question.hs, question.on or work.today)


def rules_in(content: str, sha256: str) -> KnownRules:
    """The rules of a whole file. Raises OriginRulesFaulty, OriginRulesAltered."""
    try:
        file, rules = read_rules_file(content.encode())
    except RuleFileFaulty as faulty:
        raise OriginRulesFaulty("content", count=len(faulty.faults), first=str(faulty.faults[0])[:500]) from None
    if digest_of(file) != sha256:
        raise OriginRulesAltered("sha256")
    return KnownRules(rules, sha256, shipped=False)


async def must_be_loadable(known: KnownRules, work: Work) -> None:
    """Refuses rules of another country, and a version that has other content. Raises OriginRulesVersionTaken."""
    rules = known.rules
    if rules.country != work.country:
        raise OriginRulesOfOtherCountry("country", country=rules.country, here=work.country)
    if any((each.rules.form, each.rules.version) == (rules.form, rules.version) for each in await store.known_rules(work)):
        raise OriginRulesVersionTaken("version", form=rules.form, version=rules.version)
