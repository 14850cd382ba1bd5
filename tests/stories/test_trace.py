"""One trace for each request with all its consequences, on the complete system."""

import asyncio
from collections import Counter
from datetime import datetime

import pytest

from cli.commands.trace import trace
from cli.demo.consignment import Journey
from cli.demo.journeys import ZONE
from cli.demo.people import Exporter, until
from cli.spans import KeptSpan, certificate_of, kept_spans, traces_of
from shared.contracts.index import SERVICES
from tests.stories.conftest import RunningSystem, to

AT_ONCE = 8
CONSUMED = {
    ("fees", "on CertificateSubmitted"): 1,
    ("certificates", "on FeeSettled"): 1,
    ("gateway", "on CertificateDocumented"): 1,
    ("tracking", "on CertificateIssued"): 1,
    ("tracking", "on CertificateSealed"): 1,
    ("tracking", "on TransmissionAdvanced"): 3,
    ("tracking", "on CertificateStatusChanged"): 4,
    ("portal", "on CertificateStatusChanged"): 4,
    ("portal", "on InvoiceChanged"): 2,
    ("portal", "on TransmissionAdvanced"): 3,
}
"""How often each event about one certificate is consumed until the certificate has arrived."""


async def stored_traces(system: RunningSystem, reference: str) -> dict[str, list[KeptSpan]]:
    """Waits until all traces of an arrived certificate are on disk; returns them."""

    async def look() -> dict[str, list[KeptSpan]] | None:
        spans = list(kept_spans(system.stack.spans_dir, system.stack.country))
        certificate_id = certificate_of(reference, spans)
        traces = traces_of(certificate_id, spans) if certificate_id else {}
        found = [span for members in traces.values() for span in members]
        seen = {span.service for span in found}
        consumed = Counter((span.service, span.name) for span in found)
        complete = {*SERVICES, "gateway-vn"} <= seen and all(consumed[each] >= times for each, times in CONSUMED.items())
        written = complete and not without_their_parent(traces)
        return traces if written else None

    return await until(look, "every service to have written its spans, and the parent of each", within=15)


def without_their_parent(traces: dict[str, list[KeptSpan]]) -> list[str]:
    """The names of spans whose parent is missing in their trace."""
    ids = {name: {span.span_id for span in members} for name, members in traces.items()}
    return [
        span.name for name, members in traces.items() for span in members if span.parent_id and span.parent_id not in ids[name]
    ]


async def test_all_services_and_the_partner_appear_and_traces_are_linked(
    system: RunningSystem, capsys: pytest.CaptureFixture[str]
) -> None:
    page = await system.travel(to("VN"))

    traces = await stored_traces(system, page["reference"])

    assert without_their_parent(traces) == []
    links = {name: {link for span in members for link in span.links} for name, members in traces.items()}
    act = {name: members[0].name for name, members in traces.items()}
    reached, pending = set(), [name for name in traces if act[name] == "ApproveCertificate"]
    while pending:
        reached.add(name := pending.pop())
        pending += sorted(links[name] - reached)
    assert {act[name] for name in reached} >= {"ApproveCertificate", "SubmitCertificate", "ApproveRegistration"}
    for request in ("DraftCertificate", "SubmitCertificate", "RecordPayment", "ReviewCertificate", "ApproveCertificate"):
        assert any(links[name] for name in traces if act[name] == request), request
    trace(page["reference"], root=system.stack.root)
    output = capsys.readouterr().out
    assert all(text in output for text in ("gateway-vn", "due TransmitDocument", "on CertificateIssued", "tracking"))


@pytest.mark.slow
async def test_every_event_has_one_span_also_in_a_batch(system: RunningSystem) -> None:
    example, today = to("VN"), datetime.now(ZONE).date()
    exporter = await Exporter.register(system.portal, system.ministry, example)
    journeys = [await Journey.begin(example, exporter, system.ministry, today) for _ in range(AT_ONCE)]

    await asyncio.gather(*(journey.submit() for journey in journeys))
    await asyncio.gather(*(system.decide(journey) for journey in journeys))

    ids = {str(journey.certificate_id) for journey in journeys}

    async def on_disk() -> list[KeptSpan] | None:
        spans = list(kept_spans(system.stack.spans_dir, system.stack.country))
        about_them = [span for span in spans if span.certificate_id in ids]
        consumed = Counter((span.service, span.name) for span in about_them if span.message_id)
        return about_them if all(consumed[event] >= times * AT_ONCE for event, times in CONSUMED.items()) else None

    spans = await until(on_disk, "every service to have written its spans")
    consumed = [span for span in spans if span.message_id and span.error is None]
    assert Counter((span.service, span.name) for span in consumed) == {
        event: times * AT_ONCE for event, times in CONSUMED.items()
    }
    assert set(Counter((span.service, span.message_id) for span in consumed).values()) == {1}
    act_of = {span.trace_id: span.certificate_id for span in spans if span.parent_id is None}
    assert [span for span in consumed if act_of[span.trace_id] != span.certificate_id] == []
