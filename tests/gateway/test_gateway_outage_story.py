"""A partner is out and comes back: what the public, the exporter and the officer see meanwhile, from end to end."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.gateway import outages
from services.gateway.handlers.contingencies import ReconcileContingencies
from services.gateway.handlers.outages import AnnounceOutages
from services.tracking.figures import Figures
from shared.contracts.gateway.ledger import GetExchangedMessage, ListExchangedMessages, Verdict
from shared.contracts.gateway.outages import ContingencyIssued, IssueContingency, ListContingencies, PartnerOutageChanged
from shared.contracts.gateway.partners import PartnerObserved
from shared.contracts.gateway.transmissions import TransmissionAdvanced
from tests.support.service_under_test import migrated_copy
from tests.tracking.conftest import REFERENCE, Tracking, an_issued_certificate

from .builders import TwoGateways, a_documented_certificate
from .test_gateway_outages import OFFICER, SIGNATORY, ask, run

EVENTS = (PartnerObserved, PartnerOutageChanged, ContingencyIssued, TransmissionAdvanced)


@pytest.fixture
async def public(tmp_path: Path) -> AsyncIterator[Tracking]:
    migrated_copy("tracking", tmp_path / "tracking.sqlite")
    service = Tracking(tmp_path / "tracking.sqlite")
    service.clock.instant = datetime.now(UTC)
    yield service
    await service.public.aclose()
    service.context.stop()
    await service.context.close()


async def hear(public: Tracking, gateways: TwoGateways) -> None:
    """The public site hears everything that our gateway has announced, and computes its pages again."""
    for kind in EVENTS:
        await public.receive(*await gateways.kh.announced_of(kind))
    kept = public.context.use(Figures)
    for each in (kept.partners, kept.outages, kept._medians):
        each._value = None
    public.clock.instant = datetime.now(UTC)


async def member(public: Tracking) -> dict[str, Any]:
    return next(each for each in (await public.read("/partners"))["partners"] if each["country"] == "VN")


async def check(public: Tracking, token: str) -> httpx.Response:
    return await public.public.get("/notices", params={"token": token, "format": "json"})


async def test_a_partner_is_out_and_comes_back(
    gateways: TwoGateways, public: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the partner answers no more, and the document waits
    event = a_documented_certificate()
    await public.receive(an_issued_certificate(certificate_id=event.certificate_id))
    gateways.kh.links["VN"].down = True
    await gateways.kh.receive(event)
    for _ in range(3):
        await gateways.kh.run_due_tasks()
    await hear(public, gateways)
    assert (await member(public))["exchange"] == "slow"
    assert "is out since" not in (await public.see(f"/certificates/{REFERENCE}")).text

    # after the set time it is out, and everybody sees it
    monkeypatch.setattr(outages, "OUTAGE_RULES", [outages.OutageRule(date(2000, 1, 1), timedelta(0))])
    await run(gateways.kh, AnnounceOutages())
    await hear(public, gateways)
    vn = await member(public)
    assert (vn["exchange"], vn["waiting"]) == ("out", 1)
    assert vn["oldest"]
    assert "The gateway of Viet Nam is out since" in (await public.see(f"/certificates/{REFERENCE}")).text

    # the exporter gives the buyer a notice, which anybody can check
    notice = await ask(gateways.kh, IssueContingency(certificate_id=event.certificate_id), SIGNATORY)
    await hear(public, gateways)
    answer = (await check(public, notice.token)).json()
    assert (answer["verdict"], answer["facts"]["number"], answer["facts"]["code"]) == ("valid", notice.number, "AS1")
    forged = notice.token[:-8] + "AAAAAAAA"
    assert (await check(public, forged)).json()["verdict"] == "altered"

    # the partner returns, and the document goes on by itself
    gateways.kh.links["VN"].down = False
    await gateways.run_until_idle()
    await run(gateways.kh, ReconcileContingencies())
    await hear(public, gateways)
    vn = await member(public)
    assert (vn["exchange"], vn["waiting"], vn["out_since"]) == ("works", 0, None)
    page = (await public.see(f"/certificates/{REFERENCE}")).text
    assert "is out since" not in page
    facts = (await check(public, notice.token)).json()["facts"]
    assert facts["code"] == "REC"
    assert facts["outage_ended_at"]

    # the officer sees the register closed, and each message with a valid signature
    (row,) = (await ask(gateways.kh, ListContingencies(), OFFICER)).contingencies
    assert (row.number, row.code) == (notice.number, "REC")
    assert row.reconciled_at
    listed = await ask(gateways.kh, ListExchangedMessages(reference=REFERENCE), OFFICER)
    assert len(listed.messages) == 3
    for each in listed.messages:
        looked_up = GetExchangedMessage(partner=each.partner, ours=each.ours, message_id=each.message_id)
        assert (await ask(gateways.kh, looked_up, OFFICER)).verdict is Verdict.VALID
