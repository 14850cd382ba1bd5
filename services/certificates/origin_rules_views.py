"""Origin rules as an operator sees them."""

from collections.abc import Sequence
from datetime import date

from services.certificates.domain.origin.rule_set import RuleSet
from services.certificates.origin_rules import KnownRules, OriginRulesUnknown, rules_for
from shared.contracts.certificates.origin import RvcMethod
from shared.contracts.certificates.origin_rules import BothLanguages, ShownOriginRules, ShownRule, ShownRules


def shown_rules(known: Sequence[KnownRules], form: str | None, hs: str | None, on: date) -> ShownOriginRules:
    """The rules of all forms or of one. Raises OriginRulesUnknown if there are none of this form."""
    wanted = [each for each in known if form in (None, each.rules.form)]
    if not wanted:
        raise OriginRulesUnknown("form", form=form, day=on, forms={each.rules.form for each in known})
    wanted.sort(key=lambda each: each.rules.valid_from, reverse=True)
    wanted.sort(key=lambda each: each.rules.form)
    in_force = {id(_in_force(name, on, known)) for name in {each.rules.form for each in wanted}}
    return ShownOriginRules(rules=tuple(_shown(each, hs, id(each) in in_force) for each in wanted))


def _in_force(form: str, on: date, known: Sequence[KnownRules]) -> KnownRules | None:
    try:
        return rules_for(form, on, known)
    except OriginRulesUnknown:
        return None


def _shown(known: KnownRules, hs: str | None, in_force: bool) -> ShownRules:
    rules = known.rules
    return ShownRules(
        form=rules.form,
        agreement=rules.agreement,
        version=rules.version,
        valid_from=rules.valid_from,
        source=rules.source,
        shipped=known.shipped,
        loaded_at=known.loaded_at,
        in_force=in_force,
        general_rule=str(rules.general.rule),
        lines=len(rules.lines),
        complete=rules.complete,
        rvc_method=RvcMethod(rules.method),
        rule=_rule_for(rules, hs) if hs else None,
    )


def _rule_for(rules: RuleSet, hs: str) -> ShownRule:
    line, listed = rules.line_for(hs)
    return ShownRule(
        rule=str(line.rule),
        article=line.article,
        listed=listed,
        part_of_subheading=line.part_of_subheading,
        processes=tuple(BothLanguages(**each.text) for each in line.process_rules),
    )
