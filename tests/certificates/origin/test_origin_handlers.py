"""Origin over the bus: people assess statements, and an operator loads rules in parts."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from cli.commands.rules import parts_of
from services.certificates.origin_rules import SHIPPED, read_rules_file, shipped_rules
from services.certificates.store.origin_tables import origin_rule_parts
from shared.contracts.certificates.origin import AssessOrigin, CostStatement, Material, OriginAssessment
from shared.contracts.certificates.origin_rules import LoadOriginRules, OriginRulesFile, ShowOriginRules
from shared.contracts.messages import Refusal
from shared.contracts.roles import Role
from tests.certificates.origin.test_rules_files import GOOD
from tests.support.service_under_test import ServiceUnderTest, a_person, an_agent

BICYCLE = CostStatement(
    hs="871200",
    fob=Decimal("300.00"),
    processes=("welding",),
    materials=(Material(hs="871491", value=Decimal("195.00"), origin="CN"),),
)
EXPORTER = a_person(Role.PREPARER, organisation=uuid4())


def a_file(**changed: Any) -> OriginRulesFile:
    return read_rules_file(json.dumps(GOOD | {"version": "loaded.1"} | changed).encode())[0]


def in_pieces(file: OriginRulesFile, size: int) -> list[LoadOriginRules]:
    """The commands of a file in parts of a few characters."""
    (whole,) = parts_of(file)
    texts = [whole.content[start : start + size] for start in range(0, len(whole.content), size)]
    return [
        LoadOriginRules(sha256=whole.sha256, parts=len(texts), number=number, content=text)
        for number, text in enumerate(texts, start=1)
    ]


async def load(service: ServiceUnderTest, file: OriginRulesFile) -> Any:
    (part,) = parts_of(file)
    return await service.ask(part)


async def assessed(service: ServiceUnderTest, **changed: Any) -> Any:
    return await service.ask(AssessOrigin(statement=BICYCLE, **changed), EXPORTER)


async def versions(service: ServiceUnderTest, **asked: Any) -> list[tuple[str, bool]]:
    shown = await service.ask(ShowOriginRules(**asked))
    return [(each.version, each.in_force) for each in shown.rules]


async def test_an_exporter_assesses_a_statement_by_the_rules_of_the_release(service: ServiceUnderTest) -> None:
    found = await assessed(service)

    assert isinstance(found, OriginAssessment)
    assert (found.qualifies, found.box8) == (True, "CTH")
    assert found.worksheet.assessed_on == date(2026, 11, 23)
    assert (found.worksheet.rules.version, found.worksheet.rules.shipped) == (shipped_rules()[0].rules.version, True)


@pytest.mark.parametrize("role", [Role.SIGNATORY, Role.REVIEWER, Role.APPROVER, Role.AUDITOR])
async def test_officers_and_signatories_assess_too(service: ServiceUnderTest, role: Role) -> None:
    found = await service.ask(AssessOrigin(statement=BICYCLE), a_person(role))

    assert found.qualifies


async def test_an_agent_assesses_for_its_exporter(service: ServiceUnderTest) -> None:
    found = await service.ask(AssessOrigin(statement=BICYCLE), an_agent(uuid4(), uuid4()))

    assert found.qualifies


async def test_a_faulty_statement_is_refused_with_its_field(service: ServiceUnderTest) -> None:
    refused = await service.ask(AssessOrigin(statement=BICYCLE.model_copy(update={"fob": Decimal(-1)})), EXPORTER)

    assert isinstance(refused, Refusal)
    assert (refused.code, refused.fields) == ("statement_fob_not_positive", ("statement.fob",))


async def test_a_form_without_rules_is_refused(service: ServiceUnderTest) -> None:
    refused = await assessed(service, form="AI")

    assert (refused.code, refused.fields) == ("origin_rules_unknown", ("form",))


async def test_a_claim_is_judged(service: ServiceUnderTest) -> None:
    found = await assessed(service, claim="35%")
    assert found.code == "origin_claim_below_threshold"

    assert (await assessed(service, claim="CTH")).claim.met is True


async def test_rules_are_used_after_their_last_part_only(service: ServiceUnderTest) -> None:
    pieces = in_pieces(a_file(valid_from="2026-01-01", general_rule={"rule": "CC", "article": "x"}), 200)
    assert len(pieces) > 3

    for piece in pieces[:-1]:
        answer = await service.ask(piece)
        assert (answer.received, answer.complete) == (piece.number, False)
    assert (await assessed(service)).worksheet.rules.shipped is True

    answer = await service.ask(pieces[-1])
    assert (answer.received, answer.complete, answer.unchanged) == (len(pieces), True, False)
    found = await assessed(service)
    assert (found.worksheet.rule, found.worksheet.rules.version, found.worksheet.rules.shipped) == ("CC", "loaded.1", False)
    async with service.work() as work:
        assert (await work.session.execute(origin_rule_parts.select())).all() == []


async def test_parts_may_come_twice_and_in_any_order(service: ServiceUnderTest) -> None:
    pieces = in_pieces(a_file(), 300)

    for piece in (*reversed(pieces[1:]), pieces[2].model_copy(update={"command_id": uuid4()}), pieces[0]):
        answer = await service.ask(piece)

    assert answer.complete
    assert ("loaded.1", False) in await versions(service)


async def test_the_same_content_changes_nothing_and_says_so(service: ServiceUnderTest) -> None:
    assert (await load(service, a_file())).unchanged is False
    before = await versions(service)

    again = await load(service, a_file())

    assert (again.complete, again.unchanged) == (True, True)
    assert await versions(service) == before


async def test_the_rules_of_the_release_are_known_already(service: ServiceUnderTest) -> None:
    answer = await load(service, read_rules_file(SHIPPED[0].read_bytes())[0])

    assert answer.unchanged is True


async def test_a_version_with_other_content_is_refused(service: ServiceUnderTest) -> None:
    await load(service, a_file())

    refused = await load(service, a_file(source="another source"))

    assert refused.code == "origin_rules_version_taken"
    assert (await load(service, a_file(source="another source", version="loaded.2"))).complete


async def test_rules_of_another_country_are_refused(service: ServiceUnderTest) -> None:
    assert (await load(service, a_file(country="VN"))).code == "origin_rules_of_other_country"


async def test_altered_and_faulty_content_is_refused_and_has_no_effect(service: ServiceUnderTest) -> None:
    (part,) = parts_of(a_file())
    before = await versions(service)

    altered = await service.ask(part.model_copy(update={"content": part.content.replace("Made up", "Made over")}))
    faulty = await service.ask(part.model_copy(update={"content": '{"form": 1}', "command_id": uuid4()}))

    assert (altered.code, faulty.code) == ("origin_rules_altered", "origin_rules_faulty")
    assert await versions(service) == before


async def test_a_load_that_was_broken_off_is_deleted_by_a_later_one(service: ServiceUnderTest) -> None:
    await service.ask(in_pieces(a_file(), 300)[0])
    service.clock.instant += timedelta(days=2)

    await load(service, a_file(version="loaded.2"))

    async with service.work() as work:
        assert (await work.session.execute(origin_rule_parts.select())).all() == []


async def test_what_is_in_force_depends_on_the_day(service: ServiceUnderTest) -> None:
    await load(service, a_file(valid_from="2027-01-01"))
    release = shipped_rules()[0].rules.version

    assert await versions(service) == [("loaded.1", False), (release, True)]
    assert await versions(service, on=date(2027, 1, 1)) == [("loaded.1", True), (release, False)]
    assert (await assessed(service)).worksheet.rules.version == release
    assert (await assessed(service, on=date(2027, 1, 1))).worksheet.rules.version == "loaded.1"
    service.clock.instant = datetime(2026, 12, 31, 17, 30, tzinfo=UTC)  # in Phnom Penh it is 2027
    assert (await assessed(service)).worksheet.rules.version == "loaded.1"


async def test_the_rule_for_an_hs_code_is_shown(service: ServiceUnderTest) -> None:
    (shown,) = (await service.ask(ShowOriginRules(form="D", hs="61091000"))).rules

    assert shown.rule is not None
    assert (shown.rule.rule, shown.rule.listed) == ("RVC(40) or SP", True)
    assert "cutting" in shown.rule.processes[0].en
    assert (await service.ask(ShowOriginRules(form="X"))).code == "origin_rules_unknown"
