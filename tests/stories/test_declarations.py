"""An export declaration from its exporter to the customs of the destination, on the complete system."""

from typing import Any

import pytest

from cli.demo.journeys import final_page
from cli.demo.people import until
from shared.bus.client import AskRefused
from shared.contracts.gateway.declarations import SendDeclaration, TransportMode
from shared.contracts.gateway.transmissions import GetTransmission, TransmissionState
from tests.stories.conftest import RunningSystem, to


async def test_an_exporter_sends_the_declaration_too_and_customs_abroad_receive_both(system: RunningSystem) -> None:
    journey = await system.journey(to("VN"))
    await journey.submit()
    await system.decide(journey)
    reference = str((await journey.issued()).reference)
    await until(lambda: final_page(system.web, reference), "the certificate to arrive", within=60, interval=0.2)
    person = journey.exporter.person
    command: dict[str, Any] = {
        "certificate_id": journey.certificate_id,
        "permit_number": "ED-2026-004711",
        "transport_mode": TransportMode.ROAD,
        "exporter_number": "L001-100000027",
    }

    sent: TransmissionState = await person.ask(SendDeclaration(**command))
    assert (sent.kind, sent.reference, sent.steps[0].code) == ("acdd", f"X{reference}", "AS1")

    async def received() -> TransmissionState | None:
        state: TransmissionState = await person.ask(GetTransmission(certificate_id=journey.certificate_id, kind="acdd"))
        return state if state.steps[-1].code == "REC" else None

    state = await until(received, "the declaration to arrive", within=60, interval=0.2)
    assert [(step.code, step.country) for step in state.steps] == [("AS1", "KH"), ("AS2", "VN"), ("REC", "VN")]
    page = await final_page(system.web, reference)
    assert page is not None
    assert page["codes"] == ["AS1", "AS2", "REC"], "the public page is about the certificate"
    with pytest.raises(AskRefused, match="sent already"):
        await person.ask(SendDeclaration(**command))
