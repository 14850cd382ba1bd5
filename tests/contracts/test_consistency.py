"""Every service reports the facts that the audit compares, and can announce its nouns again."""

from importlib import import_module

import pytest

from cli.consistency_rules import GAP_FREE, IMPLICATIONS, NEVER
from shared.contracts import operations
from shared.contracts.index import SERVICES, events_heard_by, events_of
from shared.handling.router import Router

ROUTERS: dict[str, Router] = {name: import_module(f"services.{name}.handlers").router for name in SERVICES}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_announce_every_noun_of_its_events_again(service: str) -> None:
    nouns = {event.subject.split(".")[1] for event in events_of(service)}

    assert set(ROUTERS[service].reannouncing) == nouns


def test_every_fact_that_the_audit_compares_is_reported() -> None:
    reported = {f"{service}.{fact}" for service, router in ROUTERS.items() for fact in router.facts}
    reported |= {f"{service}.{operations.announced(event)}" for service in SERVICES for event in events_of(service)}
    reported |= {f"{service}.{operations.heard(event)}" for service in SERVICES for event in events_heard_by(service)}

    compared = {fact for rule in IMPLICATIONS for fact in (rule.premise, rule.conclusion)} | {GAP_FREE, *NEVER}

    assert compared - reported == set()
