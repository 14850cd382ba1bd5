"""One trace per act and all its consequences, on the whole system."""

import asyncio
from collections import Counter

import pytest

from cli.people import until
from cli.trace import trace
from cli.traces import KeptSpan, certificate_of, kept_spans, traces_of
from shared.contracts.catalogue import SERVICES
from tests.stories.conftest import Nation, to

AT_ONCE = 8


async def kept_traces(nation: Nation, reference: str) -> dict[str, list[KeptSpan]]:
    """The traces of a certificate that has arrived, once all of them are on disk."""

    async def look() -> dict[str, list[KeptSpan]] | None:
        spans = list(kept_spans(nation.stack.spans_dir, nation.stack.country))
        certificate_id = certificate_of(reference, spans)
        traces = traces_of(certificate_id, spans) if certificate_id else {}
        seen = {span.service for members in traces.values() for span in members}
        shown = sum(span.name == "on TransmissionAdvanced" for members in traces.values() for span in members)
        return traces if {*SERVICES, "gateway-vn"} <= seen and shown >= 3 else None

    return await until(look, "every service to have written its spans", within=15)


async def test_all_services_and_the_partner_appear_and_acts_are_linked(
    nation: Nation, capsys: pytest.CaptureFixture[str]
) -> None:
    page = await nation.travel(to("VN"))

    traces = await kept_traces(nation, page["reference"])

    for members in traces.values():
        ids = {span.span_id for span in members}
        assert [span.name for span in members if span.parent_id and span.parent_id not in ids] == []
    links = {name: {link for span in members for link in span.links} for name, members in traces.items()}
    act = {name: members[0].name for name, members in traces.items()}
    reached, ahead = set(), [name for name in traces if act[name] == "ApproveCertificate"]
    while ahead:
        reached.add(name := ahead.pop())
        ahead += sorted(links[name] - reached)
    assert {act[name] for name in reached} >= {"ApproveCertificate", "SubmitCertificate", "ApproveRegistration"}
    for said in ("DraftCertificate", "SubmitCertificate", "RecordPayment", "ReviewCertificate", "ApproveCertificate"):
        assert any(links[name] for name in traces if act[name] == said), said
    trace(page["reference"], root=nation.stack.root)
    said = capsys.readouterr().out
    assert all(text in said for text in ("gateway-vn", "due TransmitDocument", "on CertificateIssued", "tracking"))


async def test_every_event_has_one_span_of_its_own_also_in_a_batch(nation: Nation) -> None:
    journeys = await asyncio.gather(*(nation.journey(to("VN")) for _ in range(AT_ONCE)))

    await asyncio.gather(*(journey.submit() for journey in journeys))

    ids = {str(journey.certificate_id) for journey in journeys}

    def spans_of(name: str) -> list[KeptSpan]:
        spans = kept_spans(nation.stack.spans_dir, nation.stack.country)
        return [span for span in spans if span.name == name and span.certificate_id in ids and span.error is None]

    async def on_disk() -> tuple[list[KeptSpan], list[KeptSpan]] | None:
        found = spans_of("SubmitCertificate"), spans_of("on CertificateSubmitted")
        return found if all(len(spans) >= AT_ONCE for spans in found) else None

    submitted, heard = await until(on_disk, "certificates and fees to have written their spans", within=15)
    assert set(Counter(span.message_id for span in heard).values()) == {1}
    act_of = {span.trace_id: span.certificate_id for span in submitted}
    assert {span.trace_id: span.certificate_id for span in heard}.items() <= act_of.items()
    assert {span.certificate_id for span in heard} == ids
