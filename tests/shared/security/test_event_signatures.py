"""Only what its owner has signed is taken from the stream, replayed or read back; everything else is passed over and named."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import nkeys
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from cli.commands import bus as co_bus
from cli.target import Where
from deploy.nats.stream import deliver_for_recovery, set_up_bus
from shared.bus.connection import EVENT_ID_HEADER, KEY_HEADER, SIGNATURE_HEADER
from shared.bus.stream import STREAM, last_event_subject
from shared.contracts import operations
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.contracts.fees import FeeSettled
from shared.contracts.index import SERVICES
from shared.security.event_signatures import EventKeys, EventSigner, NotGenuine, event_keys_json
from tests.conftest import eventually
from tests.shared.operations.test_recovery import an_older_database, ask, read_back, restarted
from tests.support.fuzzing import examples
from tests.support.plumbing_stack import PlumbingStack, a_payment, a_settlement, a_submission

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
SUBJECT = CertificateSubmitted.subject
BODY = a_submission().model_dump_json().encode()


def a_key() -> nkeys.KeyPair:
    return nkeys.from_seed(bytearray(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)))


def public(key: nkeys.KeyPair) -> str:
    return str(key.public_key.decode())


OWNER, FORMER, OTHER, STRANGER = (a_key() for _ in range(4))


@pytest.fixture
def keys(tmp_path: Path) -> EventKeys:
    """The owner of the subject has a present key and one that was replaced an hour ago."""
    file = tmp_path / "event-keys.json"
    of_owner = {public(OWNER): None, public(FORMER): NOW - timedelta(hours=1)}
    file.write_bytes(event_keys_json({"certificates": of_owner, "fees": {public(OTHER): None}}))
    return EventKeys(file)


def test_an_event_is_verified_with_the_present_key_of_its_owner(keys: EventKeys) -> None:
    event_id = uuid4()
    headers = EventSigner(OWNER).headers(SUBJECT, event_id, BODY)
    assert keys.verified_id(SUBJECT, headers, BODY, NOW) == event_id


def test_what_a_former_key_signed_counts_if_it_was_stored_before_the_key_was_replaced(keys: EventKeys) -> None:
    event_id = uuid4()
    headers = EventSigner(FORMER).headers(SUBJECT, event_id, BODY)
    assert keys.verified_id(SUBJECT, headers, BODY, NOW - timedelta(hours=2)) == event_id
    with pytest.raises(NotGenuine, match="its key was replaced before"):
        keys.verified_id(SUBJECT, headers, BODY, NOW)


GOOD = EventSigner(OWNER).headers(SUBJECT, UUID(int=1), BODY)
FORGERIES: dict[str, tuple[str, dict[str, str] | None, bytes]] = {
    "no headers": (SUBJECT, None, BODY),
    "no id": (SUBJECT, {name: GOOD[name] for name in (KEY_HEADER, SIGNATURE_HEADER)}, BODY),
    "an id that is none": (SUBJECT, GOOD | {EVENT_ID_HEADER: "17"}, BODY),
    "an endless id": (SUBJECT, GOOD | {EVENT_ID_HEADER: "7" * 300}, BODY),
    "a strange id": (SUBJECT, GOOD | {EVENT_ID_HEADER: "é\x01"}, BODY),
    "another id": (SUBJECT, GOOD | {EVENT_ID_HEADER: str(UUID(int=2))}, BODY),
    "no signature": (SUBJECT, {EVENT_ID_HEADER: GOOD[EVENT_ID_HEADER], KEY_HEADER: GOOD[KEY_HEADER]}, BODY),
    "no base64": (SUBJECT, GOOD | {SIGNATURE_HEADER: "!"}, BODY),
    "a signature that is too short": (SUBJECT, GOOD | {SIGNATURE_HEADER: "AAAA"}, BODY),
    "another body": (SUBJECT, GOOD, BODY + b" "),
    "another subject of the same owner": ("evt.certificate.issued.v1", GOOD, BODY),
    "the subject of another owner": (FeeSettled.subject, GOOD, BODY),
    "the subject of no event": ("evt.nothing.done.v1", GOOD, BODY),
    "the key of another service": (SUBJECT, EventSigner(OTHER).headers(SUBJECT, UUID(int=1), BODY), BODY),
    "the key of a stranger": (SUBJECT, EventSigner(STRANGER).headers(SUBJECT, UUID(int=1), BODY), BODY),
    "the owner named, a stranger signing": (
        SUBJECT,
        EventSigner(STRANGER).headers(SUBJECT, UUID(int=1), BODY) | {KEY_HEADER: public(OWNER)},
        BODY,
    ),
    "a key that is none": (SUBJECT, GOOD | {KEY_HEADER: "UNKEY"}, BODY),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_event_is_not_genuine(keys: EventKeys, forgery: str) -> None:
    subject, headers, body = FORGERIES[forgery]
    with pytest.raises(NotGenuine):
        keys.verified_id(subject, headers, body, NOW)


@pytest.mark.fuzz
@settings(max_examples=examples(200, 20_000), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    subject=st.sampled_from([SUBJECT, FeeSettled.subject]) | st.text(max_size=40),
    headers=st.none()
    | st.dictionaries(
        st.sampled_from([EVENT_ID_HEADER, KEY_HEADER, SIGNATURE_HEADER]) | st.text(max_size=9), st.text(max_size=90)
    ),
    changed=st.dictionaries(st.sampled_from([EVENT_ID_HEADER, KEY_HEADER, SIGNATURE_HEADER]), st.text(max_size=90)),
    body=st.sampled_from([BODY]) | st.binary(max_size=200),
)
def test_nothing_that_lies_in_the_stream_is_taken_or_breaks_the_verification(
    keys: EventKeys, subject: str, headers: dict[str, str] | None, changed: dict[str, str], body: bytes
) -> None:
    for present in (headers, GOOD | changed):
        try:
            keys.verified_id(subject, present, body, NOW)
        except NotGenuine:
            continue
        assert (subject, body) == (SUBJECT, BODY)
        assert {name: (present or {})[name] for name in GOOD if name != EVENT_ID_HEADER} == {
            name: GOOD[name] for name in GOOD if name != EVENT_ID_HEADER
        }


def test_keys_are_read_again_when_their_file_changes_and_a_broken_file_changes_nothing(keys: EventKeys, tmp_path: Path) -> None:
    file, headers = tmp_path / "event-keys.json", EventSigner(STRANGER).headers(SUBJECT, UUID(int=1), BODY)
    with pytest.raises(NotGenuine):
        keys.verified_id(SUBJECT, headers, BODY, NOW)
    file.write_bytes(event_keys_json({"certificates": {public(STRANGER): None}}))
    os.utime(file, ns=(1, 1))
    assert keys.verified_id(SUBJECT, headers, BODY, NOW) == UUID(int=1)
    file.write_text("{ half of")
    os.utime(file, ns=(2, 2))
    assert keys.verified_id(SUBJECT, headers, BODY, NOW) == UUID(int=1)


def passed_over() -> float:
    samples = (sample for metric in REGISTRY.collect() for sample in metric.samples if sample.name == "co_events_total")
    return sum(sample.value for sample in samples if sample.labels["outcome"] == "not_genuine")


async def test_forged_events_among_good_ones_are_passed_over_counted_and_named(
    stack: PlumbingStack, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    good, before = [a_submission() for _ in range(5)], passed_over()
    forged = [headers for subject, headers, body in FORGERIES.values() if (subject, body) == (SUBJECT, BODY)]
    for event in good:
        await stack.publish(event)
        for headers in forged:
            present = dict(headers or {})
            present.pop(EVENT_ID_HEADER, None)  # the stream would take the second for a repetition of the first
            await stack.put_on_stream(SUBJECT, BODY, present or None)

    await stack.replica()

    async def all_done() -> bool:
        return await stack.unacknowledged() == 0

    await eventually(all_done)
    assert sorted(await stack.effects()) == sorted(str(event.certificate_id) for event in good)
    assert await stack.dead() == []
    assert passed_over() - before == 5 * len(forged)
    named = [line for line in logged() if "was skipped" in line["message"]]
    assert len(named) == 5 * len(forged)
    assert {line["subject"] for line in named} == {SUBJECT}
    assert all(line["sequence"] and line["error"] for line in named)


async def test_a_service_starts_and_goes_on_whatever_lies_last_on_its_own_subjects(sqlite_stack: PlumbingStack) -> None:
    """The attack of the portal: before, the answer to `evt.fee.settled.v1` had no id and the service never started again."""
    stack = sqlite_stack
    thief = await stack.client("fees")
    await thief.publish(FeeSettled.subject, b'{"refusal":{"code":"not_signed_in"}}')
    await thief.publish(FeeSettled.subject, a_settlement().model_dump_json().encode(), headers={EVENT_ID_HEADER: str(uuid4())})
    await thief.flush()

    await stack.replica()

    assert not (await ask(stack, operations.AskRecovery())).recovering
    await (await stack.asker()).ask(a_payment(), token=stack.token())


async def test_a_recovery_reads_back_what_is_genuine_and_passes_over_the_rest(sqlite_stack: PlumbingStack) -> None:
    stack = sqlite_stack
    announced, _ = await an_older_database(stack)
    await restarted(stack)
    await stack.announce_bytes(FeeSettled.subject, b"{ not json", by="fees")
    thief = await stack.client("fees")
    for headers in (None, {EVENT_ID_HEADER: str(uuid4())}):
        await thief.publish(FeeSettled.subject, a_settlement().model_dump_json().encode(), headers=headers)
    await thief.flush()
    state: operations.Recovery = await ask(stack, operations.AskRecovery())
    assert state.began_at
    operator = await stack.client("operator")

    await deliver_for_recovery(operator.jetstream(), "fees", state.began_at)

    await eventually(lambda: read_back(stack), within=15)
    assert [line for line in await stack.effects() if line.startswith("announced")] == [f"announced {key}" for key in announced]


async def test_a_request_whose_reply_would_not_reach_an_asker_is_passed_over(sqlite_stack: PlumbingStack) -> None:
    stack = sqlite_stack
    await stack.replica()
    payment, thief = a_payment(), await stack.client("portal")
    body, headers = payment.model_dump_json().encode(), {"Actor-Token": stack.token()}
    for reply in ("", FeeSettled.subject, "evt.certificate.issued.v1", "_INBOX_operator.x", "_INBOX_portalx.y", "$JS.API.INFO"):
        await thief.publish(payment.subject, body, reply, headers=headers)
    await thief.flush()

    await (await stack.asker()).ask(a_payment(slip_number="SLIP-2"), token=stack.token())

    assert await stack.effects() == ["SLIP-2"]
    assert await stack.heard("evt.certificate.issued.v1") == []


def where(stack: PlumbingStack) -> Where:
    bus = stack.bus
    return Where(
        nats_url=bus.url, seed_file=bus.seed_file("operator"), event_keys_file=bus.event_keys_file, services=(stack.service,)
    )


async def test_the_operator_sees_what_is_not_genuine_and_which_events_are(
    sqlite_stack: PlumbingStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = sqlite_stack
    await stack.publish(a_submission(), a_submission())
    assert await co_bus.check(where=where(stack)) == 0
    assert "2 events are genuine, 0 messages are not." in capsys.readouterr().out

    await stack.put_on_stream(SUBJECT, BODY, {EVENT_ID_HEADER: str(uuid4())})

    assert await co_bus.check(where=where(stack)) == 1
    said = capsys.readouterr().out
    assert SUBJECT in said
    assert "it is not signed" in said
    assert "2 events are genuine, 1 messages are not." in said


async def test_events_of_a_release_that_did_not_sign_are_republished_signed_and_act_once(
    sqlite_stack: PlumbingStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = sqlite_stack
    await stack.replica()
    await (await stack.asker()).ask(a_payment(), token=stack.token())
    (event,) = await eventually(lambda: stack.heard(FeeSettled.subject))
    operator = (await stack.client("operator")).jetstream()
    await operator.delete_stream(STREAM)
    await set_up_bus(operator, (stack.service,))
    unsigned = {EVENT_ID_HEADER: event.headers[EVENT_ID_HEADER].upper()}  # else it takes the signed one for a repetition
    await (await stack.client("fees")).jetstream().publish(event.subject, event.data, headers=unsigned)

    await co_bus.republish(where=where(stack))

    assert "1 of 1 events were missing and are published again" in capsys.readouterr().out

    async def held() -> bool:
        return await co_bus.check(where=where(stack)) == 1 and "1 events are genuine, 1 messages" in capsys.readouterr().out

    await eventually(held)


async def test_events_of_before_and_after_a_rotation_of_the_key_are_taken_and_those_of_a_thief_are_not(
    sqlite_stack: PlumbingStack,
) -> None:
    stack, bus = sqlite_stack, sqlite_stack.bus
    before, after, forged = a_submission(), a_submission(), a_submission()
    await stack.publish(before)
    stolen, old = bus.signer("certificates"), bus.secrets.public_key("KH", "certificates")
    new = bus.secrets.rotate_bus_key("KH", "certificates", datetime.now(UTC))
    bus.event_keys_file.write_bytes(event_keys_json(bus.secrets.event_keys("KH", SERVICES)))
    user = f"{{ nkey: {old}, permissions: $may_certificates }}"
    bus.reload_with(lambda conf: conf.replace(user, f"{user}\n{user.replace(old, new)}"))
    await eventually(lambda: stack.publish(after))
    body, event_id = forged.model_dump_json().encode(), uuid4()
    await stack.put_on_stream(SUBJECT, body, stolen.headers(SUBJECT, event_id, body))

    await stack.replica()

    await eventually(lambda: _acknowledged(stack))
    assert await stack.effects() == [str(event.certificate_id) for event in (before, after)]


async def test_what_was_passed_over_by_mistake_is_handed_over_again_and_acts_once(sqlite_stack: PlumbingStack) -> None:
    stack, file = sqlite_stack, sqlite_stack.bus.event_keys_file
    whole = file.read_bytes()
    without = {service: its for service, its in json.loads(whole).items() if service != "certificates"}
    await stack.replica()
    first, second = a_submission(), a_submission()
    await stack.publish(first)
    await eventually(lambda: _done(stack, 1))
    file.write_text(json.dumps(without))
    await stack.publish(second)
    await eventually(lambda: _acknowledged(stack))
    assert await stack.effects() == [str(first.certificate_id)]

    file.write_bytes(whole)
    await co_bus.deliver_again(stack.service, where=where(stack))

    await eventually(lambda: _done(stack, 2), within=10)
    assert await stack.effects() == [str(first.certificate_id), str(second.certificate_id)]


async def _done(stack: PlumbingStack, count: int) -> bool:
    return len(await stack.effects()) == count


async def _acknowledged(stack: PlumbingStack) -> bool:
    return await stack.unacknowledged() == 0


async def test_a_user_cannot_have_the_server_put_a_message_into_the_stream(sqlite_stack: PlumbingStack) -> None:
    """The attack of a stolen service: before, the server stored the copy as that event, body and id intact."""
    stack = sqlite_stack
    await stack.publish(a_submission())
    thief = await stack.client("certificates")
    before = await _messages(stack)

    for reply in (FeeSettled.subject, "evt.signing-key.published.v1", SUBJECT):
        await thief.publish(last_event_subject(SUBJECT), b"", reply)
    await thief.request(last_event_subject(SUBJECT), b"", timeout=5)  # answered after those

    assert await _messages(stack) == before


async def _messages(stack: PlumbingStack) -> int:
    info = await (await stack.client("operator")).jetstream().stream_info(STREAM)
    return int(info.state.messages)
