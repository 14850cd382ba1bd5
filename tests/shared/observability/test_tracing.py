"""One trace per act and all its consequences, and nothing personal in traces or logs."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from sqlalchemy import insert

from shared.bus.client import AskRefused
from shared.bus.connection import TOKEN_HEADER, TRACE_HEADER
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.contracts.fees import InvoiceState, RecordPayment
from shared.contracts.registry.identity import OpenSession
from shared.database.tables import outbox
from shared.handling.router import Router
from shared.handling.work import Work
from shared.observability.logs import error_text, without_values
from shared.observability.tracing import CERTIFICATE_ID, MESSAGE_ID, SpansOnDisk, link_to, span, traceparent
from shared.refusals import Refused
from tests.conftest import Databases, eventually
from tests.support.bus import Bus
from tests.support.plumbing_stack import (
    Chore,
    PlumbingStack,
    a_payment,
    a_plumbing_stack,
    a_router,
    a_settlement,
    a_submission,
    an_invoice,
    keep,
    small,
)

Logged = Callable[[], list[dict[str, Any]]]


def a_traceparent(trace_id: int = 0xABC, span_id: int = 0xDEF) -> str:
    return f"00-{trace_id:032x}-{span_id:016x}-01"


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [found for found in spans.get_finished_spans() if found.name == name]


async def done(stack: PlumbingStack) -> bool:
    return await stack.unacknowledged() == 0


async def test_each_event_of_a_batch_has_a_span_under_its_producer(
    sqlite_stack: PlumbingStack, spans: InMemorySpanExporter
) -> None:
    events = [a_submission() for _ in range(20)]
    ids = []
    for number, event in enumerate(events, start=1):
        ids += await sqlite_stack.publish(event, **{TRACE_HEADER: a_traceparent(number, number + 100)})
    await sqlite_stack.replica()

    await eventually(lambda: done(sqlite_stack))
    found = named(spans, "on CertificateSubmitted")
    assert [span.context.trace_id for span in found] == list(range(1, 21))
    assert [span.parent.span_id for span in found if span.parent] == list(range(101, 121))
    assert [(span.attributes or {})[MESSAGE_ID] for span in found] == list(map(str, ids))
    assert [(span.attributes or {})[CERTIFICATE_ID] for span in found] == [str(event.certificate_id) for event in events]
    assert {span.kind for span in found} == {SpanKind.CONSUMER}


async def test_an_event_without_a_trace_begins_one(sqlite_stack: PlumbingStack, spans: InMemorySpanExporter) -> None:
    await sqlite_stack.replica()
    for trace_header in ({}, {TRACE_HEADER: "nonsense"}):
        await sqlite_stack.publish(a_submission(), **trace_header)

    await eventually(lambda: done(sqlite_stack))
    found = named(spans, "on CertificateSubmitted")
    assert [span.parent for span in found] == [None, None]
    assert len({span.context.trace_id for span in found}) == 2


async def test_a_command_and_its_consequences_are_one_trace(stack: PlumbingStack, spans: InMemorySpanExporter) -> None:
    async def pay(command: RecordPayment, work: Work) -> InvoiceState:
        work.announce(a_settlement(command.certificate_id))
        work.later(Chore(name="x"), key="1")
        return an_invoice(command.certificate_id)

    async def do_it(task: Chore, work: Work) -> None:
        await keep(work, task.name)
        work.announce(a_settlement())

    await stack.replica(a_router(pay=pay, tasks=[(Chore, do_it)]))
    command = a_payment()
    await (await stack.asker()).ask(command, token=stack.token())

    (due,) = await eventually(lambda: named(spans, "due Chore"))
    (root,) = named(spans, "RecordPayment")
    assert root.parent is None
    assert due.parent.span_id == root.context.span_id
    for of_root in (root, due):
        assert of_root.attributes[CERTIFICATE_ID] == str(command.certificate_id)
    first, second = await eventually(lambda: _two(stack))
    assert first.traceparent.startswith(f"00-{root.context.trace_id:032x}-{root.context.span_id:016x}-")
    assert second.traceparent.startswith(f"00-{root.context.trace_id:032x}-{due.context.span_id:016x}-")


async def _two(stack: PlumbingStack) -> Any:
    rows = await stack.rows(outbox)
    return rows if len(rows) == 2 else None


async def test_a_command_continues_the_trace_of_who_asks(sqlite_stack: PlumbingStack, spans: InMemorySpanExporter) -> None:
    await sqlite_stack.replica()
    asker = await sqlite_stack.asker()

    with span("portal", under=None, kind=SpanKind.SERVER) as requesting:
        await asker.ask(a_payment(), token=sqlite_stack.token())

    (found,) = named(spans, "RecordPayment")
    assert found.parent.span_id == requesting.get_span_context().span_id
    assert found.kind is SpanKind.SERVER


async def test_the_next_act_on_a_certificate_links_to_the_former(stack: PlumbingStack, spans: InMemorySpanExporter) -> None:
    await stack.replica()
    certificate_id = uuid4()
    await stack.publish(a_submission(certificate_id=certificate_id), **{TRACE_HEADER: a_traceparent(7, 8)})
    await eventually(lambda: done(stack))
    asker = await stack.asker()

    for slip in ("SLIP-1", "SLIP-2"):
        await asker.ask(a_payment(certificate_id=certificate_id, slip_number=slip), token=stack.token())

    first, second = named(spans, "RecordPayment")
    assert [link.context.trace_id for link in first.links] == [7]
    assert [link.context.trace_id for link in second.links] == [first.context.trace_id]


def test_an_act_is_not_linked_to_its_own_trace(spans: InMemorySpanExporter) -> None:
    with span("act", under=None, kind=SpanKind.SERVER) as opened:
        link_to(opened, traceparent())
        link_to(opened, None)
        link_to(opened, "nonsense")

    assert named(spans, "act")[0].links == ()


def test_a_failed_span_tells_the_kind_of_error_only(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Sok Dara"), span("act", under=None, kind=SpanKind.SERVER):
        raise ValueError("Sok Dara")

    (found,) = named(spans, "act")
    assert found.status.description == "ValueError"
    assert "Sok" not in found.to_json()


NAME, EMAIL, PASSWORD = "Sok Dara", "sok.dara@example.kh", "correct horse battery"


def everything_said(spans: InMemorySpanExporter, logged: Logged) -> str:
    return "\n".join([*map(json.dumps, logged()), *(found.to_json() for found in spans.get_finished_spans())])


@pytest.fixture
def nothing_personal(spans: InMemorySpanExporter, logged: Logged) -> Iterator[Logged]:
    """After the test, no span and no line of log may hold a name, a password or a token."""
    yield logged
    said = everything_said(spans, logged)
    assert "eyJ" not in said
    for secret in (NAME, EMAIL, PASSWORD):
        assert secret not in said


async def test_nothing_personal_is_said_of_a_statement_the_database_refused(
    stack: PlumbingStack, nothing_personal: Logged
) -> None:
    async def pay(command: RecordPayment, work: Work) -> InvoiceState:
        for _ in range(2):
            await work.session.execute(insert(small).values(name=NAME))
        return an_invoice()

    await stack.replica(a_router(pay=pay))
    with pytest.raises(AskRefused, match="internal_error"):
        await (await stack.asker()).ask(a_payment(), token=stack.token())

    assert [line for line in nothing_personal() if line["message"] == "a request failed"]


def test_an_error_is_told_without_the_row_that_a_database_quotes() -> None:
    error = ValueError("duplicate key value\nDETAIL:  Key (email)=(sok@company.example) already exists.")
    assert error_text(error) == "ValueError('duplicate key value"
    assert without_values(str(error)) == "duplicate key value"


async def test_nothing_personal_is_said_of_a_malformed_event(sqlite_stack: PlumbingStack, nothing_personal: Logged) -> None:
    await sqlite_stack.replica()
    body = json.loads(a_submission().model_dump_json()) | {"exporter_id": NAME}

    subject = CertificateSubmitted.subject
    await sqlite_stack.announce_bytes(subject, json.dumps(body).encode())

    await eventually(lambda: done(sqlite_stack))
    assert [line for line in nothing_personal() if "dead letter" in line["message"]]


async def test_nothing_personal_is_said_of_a_task_that_failed(stack: PlumbingStack, nothing_personal: Logged) -> None:
    async def do_it(task: Chore, work: Work) -> None:
        for _ in range(2):
            await work.session.execute(insert(small).values(name=task.name))

    async def pay(command: RecordPayment, work: Work) -> InvoiceState:
        work.later(Chore(name=NAME), key="1")
        return an_invoice()

    await stack.replica(a_router(pay=pay, tasks=[(Chore, do_it)]))
    await (await stack.asker()).ask(a_payment(), token=stack.token())

    await eventually(lambda: [line for line in nothing_personal() if line["message"] == "a task will be retried"])


async def test_nothing_personal_is_said_of_a_sign_in(
    bus: Bus, sqlite_databases: Databases, nothing_personal: Logged, spans: InMemorySpanExporter
) -> None:
    class WrongPassword(Refused):
        code = "wrong_password"

    async def open_session(command: OpenSession, work: Work) -> Any:
        if command.password == PASSWORD:
            raise WrongPassword()
        raise ZeroDivisionError

    router = Router()
    router.answers(OpenSession)(open_session)
    async with a_plumbing_stack(bus, sqlite_databases, "registry") as stack:
        await stack.replica(router)
        asker = await stack.asker()
        for password in (PASSWORD, PASSWORD * 2):
            with pytest.raises(AskRefused, match=r"wrong_password|internal_error"):
                await asker.ask(OpenSession(email=EMAIL, password=password))
        body = json.dumps({"email": EMAIL, "password": PASSWORD, "name": NAME})
        client = await stack.client("portal")
        reply = await client.request(OpenSession.subject, body.encode(), headers={TOKEN_HEADER: stack.token()})
        assert b"malformed_request" in reply.data
    assert len(named(spans, "OpenSession")) == 3


async def test_a_line_of_log_bears_its_trace_and_actor(
    sqlite_stack: PlumbingStack, logged: Logged, spans: InMemorySpanExporter
) -> None:
    async def pay(command: RecordPayment, work: Work) -> InvoiceState:
        logging.getLogger("test").warning("look", extra={"actor": work.actor.name})
        return an_invoice()

    await sqlite_stack.replica(a_router(pay=pay))
    await (await sqlite_stack.asker()).ask(a_payment(), token=sqlite_stack.token())

    (line,) = [line for line in logged() if line["message"] == "look"]
    (found,) = named(spans, "RecordPayment")
    assert line["trace_id"] == f"{found.context.trace_id:032x}"
    assert line["actor_id"] == line["actor"]
    assert (line["service"], line["country"], line["level"]) == ("fees", "KH", "warning")


def test_spans_on_disk_are_lines_that_can_be_read_and_rotate(tmp_path: Path) -> None:
    exporter, provider = SpansOnDisk(tmp_path / "spans" / "kh-fees.jsonl"), TracerProvider()
    exporter._file.maxBytes = 20_000
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    other = trace.get_current_span().get_span_context()
    for number in range(120):
        with tracer.start_as_current_span(f"ទំនិញ {number}", attributes={CERTIFICATE_ID: "x", "n": number}) as opened:
            opened.add_link(other)
    provider.shutdown()

    files = sorted((tmp_path / "spans").iterdir())
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert 1 < len(files) <= 4
    assert all(file.stat().st_size <= 20_000 for file in files)
    assert {"trace_id", "span_id", "parent_id", "name", "start_ns", "end_ns", "attributes", "links"} <= set(lines[0])
    assert "ទំនិញ 119" in {line["name"] for line in lines}


def test_a_disk_that_is_full_does_not_disturb_the_work(tmp_path: Path) -> None:
    (tmp_path / "spans").mkdir()
    (tmp_path / "spans" / "x.jsonl").symlink_to("/dev/full")
    exporter, provider = SpansOnDisk(tmp_path / "spans" / "x.jsonl"), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    with provider.get_tracer("test").start_as_current_span("act") as opened:
        done = opened.is_recording()
    provider.shutdown()

    assert done
