"""Before a signature is verified, a message costs the gateway only a limited number of bytes and steps."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from services.gateway.wire import opening
from services.gateway.wire.messages import Document
from services.gateway.wire.opening import (
    MAX_PROCESS,
    Contents,
    MessageRejected,
    Opener,
    Rejection,
    claimed_country,
    open_message,
)
from services.gateway.wire.signature import Signer
from services.gateway.wire.xml import write_message
from shared.runtime.process_pool import ProcessPool
from shared.xml.bounds import (
    MAX_ATTRIBUTES,
    MAX_ATTRIBUTES_OF_ONE,
    MAX_COMMENTS,
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_NAME,
    MAX_NAMESPACES,
    MAX_SIGNATURE,
    OutOfBounds,
    SignatureShapeWrong,
    must_be_in_bounds,
)

from .builders import PROCESSES, TwoGateways, a_form, an_item
from .test_gateway_receiving import XML, a_message, an_envelope, partner  # noqa: F401

HEAD = b'<Message xmlns="urn:co-automation:asw:message:1"><Sender><CountryCode>KH</CountryCode></Sender>'
TAIL = b"</Message>"
MIB = 1024 * 1024


def filled(piece: bytes, times: int) -> bytes:
    return HEAD + piece * times + TAIL


def with_attributes(form: str, times: int) -> bytes:
    """A message with one element of many attributes; `form` has the number of each."""
    attributes = " ".join(form % number for number in range(times))
    return HEAD + f"<a {attributes}/>".encode() + TAIL


HOSTILE: dict[str, tuple[bytes, str]] = {
    "4 MiB of empty elements": (filled(b"<a/>", MIB), "elements"),
    "elements just over the bound": (filled(b"<a/>", MAX_ELEMENTS), "elements"),
    "attributes of one element": (with_attributes('a%d=""', 50_000), "attributes"),
    "attributes in all": (filled(b'<a a="" b="" c="" d="" e="" f="" g="" h=""/>', MAX_ATTRIBUTES // 8 + 1), "attributes"),
    "namespaces of one element": (with_attributes('xmlns:n%d="u"', 40_000), "namespaces"),
    "namespaces in all": (filled(b'<a xmlns:n="u"/>', MAX_NAMESPACES + 1), "namespaces"),
    "depth": (HEAD + b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH + TAIL, "deep"),
    "a long name": (filled(b"<" + b"a" * (MAX_NAME + 1) + b"/>", 1), "name"),
    "comments": (filled(b"<!-- -->", MAX_COMMENTS + 1), "comments"),
    "an instruction": (filled(b"<?php ?>", 1), "instruction"),
    "UTF-16": ("<a/>".encode("utf-16"), "UTF-8"),
    "UTF-16 without a mark": ("<a/>".encode("utf-16-le"), "UTF-8"),
    "another encoding": (b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>', "UTF-8"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_message_out_of_bounds_is_refused_before_a_tree_is_built(what: str) -> None:
    text, of_what = HOSTILE[what]
    with pytest.raises(OutOfBounds, match=of_what):
        must_be_in_bounds(text)


def test_an_e_form_d_of_two_thousand_items_is_within_bounds(signers: dict[str, Signer]) -> None:
    form = a_form(items=tuple(an_item(number + 1) for number in range(2000)))
    message = signers["KH"].sign(write_message(an_envelope(), Document(form=form)))
    must_be_in_bounds(message)
    opened, _ = open_message(message, [signers["KH"].certificate.public_bytes(Encoding.DER)])
    assert isinstance(opened, Contents)
    assert opened.content == Document(form=form)


def test_elements_and_depth_at_the_bound_pass() -> None:
    must_be_in_bounds(filled(b"<a/>", MAX_ELEMENTS - 3))
    must_be_in_bounds(HEAD + b"<a>" * (MAX_DEPTH - 1) + b"</a>" * (MAX_DEPTH - 1) + TAIL)
    must_be_in_bounds(filled(b'<a a="" b="" c="" d="" e="" f="" g="" h=""/>', MAX_ATTRIBUTES // MAX_ATTRIBUTES_OF_ONE - 1))


def between(message: bytes, first: bytes, last: bytes) -> bytes:
    """The part of a message between two markers."""
    return message[message.index(first) : message.index(last)]


def twice(message: bytes, first: bytes, last: bytes) -> bytes:
    """The message with the part between two markers repeated."""
    return message.replace(last, between(message, first, last) + last)


def instead(message: bytes, other: bytes) -> bytes:
    """The message with `other` in place of its signature."""
    return message.replace(between(message, b"<ds:Signature ", b"</Message>"), other)


NAMED = b'exc-c14n#"/><ds:SignatureMethod'
DS = b"http://www.w3.org/2000/09/xmldsig#"
SIGNATURES: dict[str, Callable[[bytes], bytes]] = {
    "namespaces where the canonical form is named": lambda m: m.replace(NAMED, NAMED.replace(b"/>", b' xmlns:x="u"/>', 1)),
    "elements where the canonical form is named": lambda m: m.replace(
        NAMED, NAMED.replace(b"/>", b"><x/></ds:CanonicalizationMethod>", 1)
    ),
    "another canonical form": lambda m: m.replace(b"2001/10/xml-exc-c14n#", b"2006/12/xml-c14n11", 1),
    "another algorithm": lambda m: m.replace(b"ecdsa-sha256", b"ecdsa-sha1"),
    "a transform more": lambda m: m.replace(b"</ds:Transforms>", b'<ds:Transform Algorithm="x"/></ds:Transforms>'),
    "an XPath": lambda m: m.replace(b"</ds:Transforms>", b"<ds:XPath>1</ds:XPath></ds:Transforms>"),
    "a reference elsewhere": lambda m: m.replace(b'URI=""', b'URI="http://198.51.100.1/"'),
    "two references": lambda m: twice(m, b"<ds:Reference", b"</ds:SignedInfo>"),
    "two signatures": lambda m: twice(m, b"<ds:Signature ", b"</Message>"),
    "a signature deeper": lambda m: instead(m, b"<X>" + between(m, b"<ds:Signature ", b"</Message>") + b"</X>"),
    "an object": lambda m: m.replace(b"</ds:Signature>", b"<ds:Object/></ds:Signature>"),
    "an endless value": lambda m: m.replace(b"</ds:SignatureValue>", b"A" * MAX_SIGNATURE + b"</ds:SignatureValue>"),
    "nothing in it": lambda m: instead(m, b'<Signature xmlns="' + DS + b'"/>'),
    "parts without a signature": lambda m: instead(m, b'<K xmlns:d="' + DS + b'"><d:KeyInfo/></K>'),
}


@pytest.mark.parametrize("what", SIGNATURES)
def test_a_signature_of_another_form_is_refused_before_it_is_verified(what: str, signers: dict[str, Signer]) -> None:
    message = a_message(signers["KH"])
    must_be_in_bounds(message)
    changed = SIGNATURES[what](message)
    assert changed != message
    with pytest.raises(SignatureShapeWrong):
        must_be_in_bounds(changed)


async def test_hostile_messages_are_refused_with_a_code_and_the_gateway_continues(
    gateways: TwoGateways,
    partner: httpx.AsyncClient,  # noqa: F811
    signers: dict[str, Signer],
) -> None:
    bodies = [text[:MIB] if len(text) > MIB else text for text, _ in HOSTILE.values()]
    bodies += [change(a_message(signers["KH"])) for change in SIGNATURES.values()]
    answers = await asyncio.gather(*(partner.post("/asw/messages", content=body, headers=XML) for body in bodies))
    codes = {(answer.status_code, answer.json()["code"]) for answer in answers}
    assert codes == {
        (400, "xml_not_readable"),
        (403, "signature_not_valid"),
    }
    assert (await partner.post("/asw/messages", content=a_message(signers["KH"]), headers=XML)).status_code == 200


def test_the_claimed_sender_is_read_from_the_head_of_a_message(signers: dict[str, Signer]) -> None:
    assert claimed_country(a_message(signers["KH"])) == "KH"
    for nobody in (
        b"",
        b"<Sender>KH</Sender>",
        b" " * 5000 + a_message(signers["KH"]),
        b"<Sender><CountryCode>kh</CountryCode>",
    ):
        assert claimed_country(nobody) == ""


@pytest.mark.slow
async def test_senders_take_turns_however_much_one_of_them_sends(signers: dict[str, Signer]) -> None:
    opener, order = Opener(PROCESSES[:1]), []
    message = a_message(signers["KH"])

    async def send(who: str, raw: bytes) -> None:
        try:
            await opener.open(raw, [signers["KH"].certificate], (who, ""))
        except MessageRejected:
            pass
        order.append(who)

    attacks = [asyncio.create_task(send("attacker", filled(b"<a/>", 50_000))) for _ in range(20)]
    await asyncio.sleep(0)
    await send("honest", message)
    assert order.count("attacker") <= 2  # the message in progress, and at most one in its turn
    await asyncio.gather(*attacks)
    assert len(order) == 21


async def endless(chunk: bytes, times: int, between: float = 0) -> AsyncIterator[bytes]:
    for _ in range(times):
        await asyncio.sleep(between)
        yield chunk


async def test_arriving_and_waiting_bytes_are_limited_for_one_address_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MAX_HELD", 10 * MIB)
    monkeypatch.setattr(opening, "MAX_HELD_FOR_ONE", 4 * MIB)
    opener = Opener(PROCESSES)
    held = [await opener.receive(endless(b"x" * MIB, 4), 4 * MIB, "192.0.2.1")]
    with pytest.raises(MessageRejected, match="too_much_at_once"):
        await opener.receive(endless(b"x", 1), MIB, "192.0.2.1")
    for address in ("192.0.2.2", "192.0.2.3"):
        held.append(await opener.receive(endless(b"x" * MIB, 3), 4 * MIB, address))
    with pytest.raises(MessageRejected, match="too_much_at_once") as refused:
        await opener.receive(endless(b"x", 1), MIB, "192.0.2.4")
    assert refused.value.status == 503
    opener.release(len(held[0]), "192.0.2.1")
    assert await opener.receive(endless(b"x", 1), MIB, "192.0.2.4") == b"x"


async def test_a_message_that_arrives_too_slowly_is_refused_and_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "ARRIVES_WITHIN", 0.1)
    opener = Opener(PROCESSES)
    with pytest.raises(MessageRejected, match="message_too_slow") as refused:
        await opener.receive(endless(b"x", 1000, between=0.02), MIB, "192.0.2.1")
    assert refused.value.status == 408
    assert opener._held.total() == 0


def endless_work(raw: bytes, certificate: bytes | None) -> tuple[Contents | Rejection, int]:
    """Never returns for one message, and refuses all others."""
    while raw == b"for ever":
        pass
    return Rejection(400, "not_for_ever", "It ended."), os.getpid()


@pytest.mark.slow
async def test_a_message_that_takes_too_long_kills_its_process_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, "open_message", endless_work)
    monkeypatch.setattr(opening, "MAX_PROCESS", 2**62)
    opener = Opener([ProcessPool()])
    with pytest.raises(MessageRejected, match="not_for_ever"):
        await opener.open(b"short", (), ("KH", ""))
    monkeypatch.setattr(opening, "OPENED_WITHIN", 0.5)
    with pytest.raises(MessageRejected, match="message_takes_too_long"):
        await opener.open(b"for ever", (), ("KH", ""))
    monkeypatch.setattr(opening, "OPENED_WITHIN", 20)
    with pytest.raises(MessageRejected, match="not_for_ever"):
        await opener.open(b"short", (), ("KH", ""))
    await opener.aclose()


def die(raw: bytes, certificate: bytes | None) -> Any:
    """Kills the process that verifies the message."""
    os.kill(os.getpid(), signal.SIGKILL)


async def test_a_message_that_kills_its_process_is_requested_again_and_others_are_opened(
    monkeypatch: pytest.MonkeyPatch, signers: dict[str, Signer]
) -> None:
    opener = Opener([ProcessPool()])
    with monkeypatch.context() as patched:
        patched.setattr(opening, "open_message", die)
        with pytest.raises(MessageRejected, match="not_now") as refused:
            await opener.open(b"", (), ("KH", ""))
    assert refused.value.status == 503
    assert (await opener.open(a_message(signers["KH"]), [signers["KH"].certificate], ("KH", ""))).envelope.sender == "KH"
    await opener.aclose()


async def test_a_process_that_has_grown_is_replaced(monkeypatch: pytest.MonkeyPatch, signers: dict[str, Signer]) -> None:
    opener, used = Opener([ProcessPool()]), []
    ended = ProcessPool.end

    def end(process: ProcessPool) -> None:
        used.append(process)
        ended(process)

    monkeypatch.setattr(ProcessPool, "end", end)
    await opener.open(a_message(signers["KH"]), [signers["KH"].certificate], ("KH", ""))
    assert used == []
    monkeypatch.setattr(opening, "MAX_PROCESS", 1)
    await opener.open(a_message(signers["KH"]), [signers["KH"].certificate], ("KH", ""))
    assert len(used) == 1
    await opener.aclose()


def test_the_largest_message_in_bounds_keeps_a_process_within_its_memory(
    signers: dict[str, Signer],
) -> None:
    with_text = filled(b"<a>" + b"x" * 36 + b"</a>", MAX_ELEMENTS - 3)
    process = ProcessPool(opening.limit_memory)
    opened, memory = process.submit(open_message, with_text, [signers["KH"].certificate.public_bytes(Encoding.DER)]).result()
    process.shutdown()
    assert isinstance(opened, Rejection)
    assert opened.code == "signature_not_valid"
    assert memory < MAX_PROCESS
