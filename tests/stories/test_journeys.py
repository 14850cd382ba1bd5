"""Certificates from registration to customs, on the complete system with the requests of its users."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli.demo.examples import Example, all_examples
from cli.demo.journeys import ZONE, final_page
from cli.demo.people import until
from cli.spans import kept_spans, traces_of
from shared.bus.client import AskRefused
from shared.contracts import operations
from shared.contracts.certificates.issuing import CertificateSubmitted, DraftCertificate
from shared.contracts.gateway.transmissions import GetTransmission
from shared.contracts.registry.identity import RevokeSession
from tests.stories.conftest import PARTNERS, RunningSystem, to

HERE = [example for example in all_examples() if example.destination in PARTNERS]
SERVICES = {"registry", "certificates", "fees", "gateway", "tracking", "portal"}


@pytest.mark.parametrize("example", [e for e in HERE if not e.remarks], ids=lambda e: e.goods)
async def test_a_consignment_has_the_expected_result_of_its_file(system: RunningSystem, example: Example) -> None:
    page = await system.travel(example)

    steps = page["steps"]
    assert page["status"] == example.expected.status
    assert [step["code"] for step in steps] == example.expected.codes
    assert [step["country"] for step in steps] == ["KH", example.destination, example.destination]
    times = [datetime.fromisoformat(step["at"]) for step in steps]
    assert times == sorted(times)
    assert [reason["code"] for step in steps for reason in step["reasons"]] == list(example.expected.reasons)


async def test_a_returned_certificate_is_corrected_and_arrives(system: RunningSystem) -> None:
    (example,) = [example for example in HERE if example.remarks]
    journey = await system.journey(example)
    await journey.submit()
    await journey.return_and_correct(str(example.remarks), datetime.now().date())
    await system.decide(journey)

    assert (await journey.issued()).reference


async def test_a_certificate_is_replaced_and_everybody_learns_it(system: RunningSystem) -> None:
    former = await system.journey(to("VN"))
    await former.submit()
    await system.decide(former)
    reference = str((await former.issued()).reference)
    await until(lambda: final_page(system.web, reference), "the certificate to arrive", within=60, interval=0.2)

    new = replace(former, certificate_id=uuid4())
    consignment = former.example.consignment(former.products, datetime.now(ZONE).date())
    draft = DraftCertificate(
        certificate_id=new.certificate_id,
        exporter_id=former.exporter.exporter_id,
        consignment=consignment,
        replaces=former.certificate_id,
    )
    await former.exporter.person.ask(draft)
    await new.submit()
    await system.decide(new)
    replacement = str((await new.issued()).reference)

    async def cancelled() -> dict[str, Any] | None:
        page = (await system.web.get(f"/certificates/{reference}?format=json")).json()
        return page if page["status"] == "CAN" and page["cancelled"] else None

    page = await until(cancelled, "the former certificate to be cancelled", within=60, interval=0.2)
    assert page["codes"] == ["AS1", "AS2", "REC", "CAN"]
    assert page["cancelled"]["replaced_by"] == replacement
    arrived = await until(lambda: final_page(system.web, replacement), "the new one to arrive", within=60, interval=0.2)
    assert arrived["codes"] == ["AS1", "AS2", "REC"]


async def test_the_public_page_shows_codes_and_no_names_goods_or_values(system: RunningSystem) -> None:
    example = to("VN")
    reference = (await system.travel(example))["reference"]

    page = (await system.web.get("/public-search/atiga", params={"reference": reference})).text

    assert all(code in page for code in ("AS1", "AS2", "REC"))
    assert not [text for text in (example.exporter_name, "Saigon", "T-shirts", "18750", "61091010") if text in page]


async def test_an_unknown_reference_gets_a_page_with_help(system: RunningSystem) -> None:
    answer = await system.web.get("/public-search/atiga", params={"reference": "D2026-PNH-999999"})
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert "D2026-PNH-000123" in answer.text


async def test_the_traces_of_a_journey_contain_all_services_and_every_parent(system: RunningSystem) -> None:
    journey = await system.journey(to("VN"))
    await journey.submit()
    await system.decide(journey)
    await journey.issued()
    wanted = SERVICES | {"gateway-vn"}

    async def look() -> dict | None:  # type: ignore[type-arg]
        traces = traces_of(str(journey.certificate_id), list(kept_spans(system.stack.spans_dir, "KH")))
        complete = all(
            span.parent_id is None or span.parent_id in {other.span_id for other in members}
            for members in traces.values()
            for span in members
        )
        return traces if complete and wanted <= {span.service for members in traces.values() for span in members} else None

    traces = await until(look, "every service in the traces, and every parent", within=10)
    submission = next(members for members in traces.values() if members[0].name == "SubmitCertificate")
    assert {span.service for span in submission} >= {"certificates", "fees"}
    roots = [span for members in traces.values() for span in members if span.parent_id is None]
    of_this = [span for span in roots if span.certificate_id == str(journey.certificate_id)]
    assert len(of_this) >= 5
    assert sum(bool(span.links) for span in of_this) >= len([s for s in of_this if s.name.startswith(("Submit", "Approve"))])


async def test_a_malformed_message_becomes_a_dead_letter_and_the_service_continues(system: RunningSystem) -> None:
    await system.announce_bytes("certificates", CertificateSubmitted.subject, b"{ not json")

    async def look() -> tuple[operations.DeadLetter, ...] | None:
        found: operations.DeadLetters = await system.operator.ask(operations.ListDeadLetters(), service="fees")
        return found.letters or None

    (letter,) = await until(look, "the dead letter")
    assert (letter.name, letter.kind) == (CertificateSubmitted.subject, "event")
    shown: operations.DeadLetters = await system.operator.ask(operations.ShowDeadLetter(id=letter.id), service="fees")
    assert shown.letters[0].body == "{ not json"
    discard = operations.DiscardDeadLetter(id=letter.id, because="a test published it")
    await system.operator.ask(discard, service="fees")  # otherwise later audits fail
    assert (await system.travel(to("VN")))["status"] == "REC"


async def test_a_signed_out_user_is_refused_by_every_service(system: RunningSystem) -> None:
    journey = await system.journey(to("VN"))
    await journey.submit()
    person = journey.exporter.person
    await journey.invoice()
    await person.ask(RevokeSession())

    async def refused() -> bool | None:
        try:
            await journey.invoice()
        except AskRefused as error:
            return error.refusal.code == "token_invalid"
        return None

    assert await until(refused, "fees to refuse the token")


async def test_the_exporter_sees_the_status_of_the_document(system: RunningSystem) -> None:
    journey = await system.journey(to("MY", "NOT"))
    await journey.submit()
    await system.decide(journey)
    await journey.issued()

    async def look() -> list[str] | None:
        state = await journey.exporter.person.ask(GetTransmission(certificate_id=journey.certificate_id))
        codes = [step.code for step in state.steps]
        return [str(state.steps[-1].detail)] if "NOT" in codes else None

    (detail,) = await until(lambda: _unless_refused(look), "the rejection")
    assert "importer" in detail


async def _unless_refused(look):  # type: ignore[no-untyped-def]
    try:
        return await look()
    except AskRefused:
        return None


async def test_every_service_is_idle_and_ready_in_the_end(system: RunningSystem) -> None:
    await asyncio.sleep(0)
    for service in SERVICES:
        health: operations.Health = await system.operator.ask(operations.AskHealth(), service=service)
        lag: operations.Lag = await system.operator.ask(operations.AskLag(), service=service)
        assert (health.ready, lag.outbox_waiting, lag.tasks_failing) == (True, 0, 0)
