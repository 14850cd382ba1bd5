"""Mutations of a signed message are refused or have the same content. There is no other exception and no other content."""

from copy import deepcopy
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.gateway.wire.messages import Document
from services.gateway.wire.opening import Contents, Rejection, claimed_country, open_message
from services.gateway.wire.xml import write_message
from tests.support.fuzzing import examples

from .builders import a_form, a_signer, an_item
from .test_gateway_receiving import an_envelope

pytestmark = pytest.mark.fuzz

SIGNER = a_signer("KH")
CERTIFICATE = SIGNER.certificate.public_bytes(Encoding.DER)
ENVELOPE, CONTENT = an_envelope(), Document(form=a_form(items=(an_item(1), an_item(2))))
GENUINE = SIGNER.sign(write_message(ENVELOPE, CONTENT))
CODES = {"xml_not_readable", "signature_not_valid", "envelope_not_readable", "sender_unknown"}

PIECES = st.sampled_from(
    [
        b"<!--x-->",
        b"<!DOCTYPE a>",
        b"<?x y?>",
        b"<![CDATA[x]]>",
        b"&amp;",
        b"&a;",
        b"&#0;",
        b"<a/>",
        b"</Message>",
        b' xmlns:x="u"',
        b' Id="1"',
        b"<ds:Signature/>",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r\n",
        b"9999-12-31T23:59:59Z",
    ]
)
BYTES = st.tuples(st.just("bytes"), st.integers(0, len(GENUINE)), st.integers(0, 200), PIECES | st.binary(max_size=20))
TREES = st.tuples(
    st.sampled_from(["remove", "repeat", "move", "text", "tail", "attribute", "rename", "wrap"]),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12) | st.sampled_from(["VN", "1e400", "2026-02-30", "-1"]),
)


def mutated(message: bytes, mutation: tuple[Any, ...]) -> bytes:
    """The message with one change: bytes at an offset, or an element of its tree."""
    how, first, second, value = mutation
    if how == "bytes":
        return message[:first] + value + message[first + second :]
    try:
        root = etree.fromstring(message)
    except (etree.XMLSyntaxError, ValueError):
        return message
    elements = [each for each in root.iter() if isinstance(each.tag, str)]
    one, other = elements[first % len(elements)], elements[second % len(elements)]
    parent = one.getparent()
    if how == "text":
        one.text = value
    elif how == "tail":
        one.tail = value
    elif how == "attribute":
        one.set("a", value)
    elif how == "rename":
        one.tag = other.tag
    elif parent is not None and how == "remove":
        parent.remove(one)
    elif parent is not None and how == "repeat":
        parent.append(deepcopy(one))
    elif parent is not None and how == "wrap":
        holder = etree.SubElement(parent, other.tag)
        holder.append(one)
    elif parent is not None and one not in other.iterancestors() and one is not other:
        other.append(one)
    return bytes(etree.tostring(root, encoding="UTF-8"))


@settings(max_examples=examples(150, 30_000))
@given(st.lists(BYTES | TREES, min_size=1, max_size=4))
def test_a_mutated_message_is_refused_or_has_the_signed_content(mutations: list[tuple[Any, ...]]) -> None:
    message = GENUINE
    for mutation in mutations:
        message = mutated(message, mutation)

    claimed_country(message)
    opened, _ = open_message(message, [CERTIFICATE])

    if isinstance(opened, Rejection):
        assert opened.code in CODES
        assert len(opened.detail) < 300
    else:
        assert opened == Contents(ENVELOPE, CONTENT)


@settings(max_examples=examples(100, 30_000))
@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: f"<a>{text}</a>".encode("utf-8", "replace")))
def test_any_bytes_are_refused(raw: bytes) -> None:
    claimed_country(raw)
    opened, _ = open_message(raw, [CERTIFICATE])
    assert isinstance(opened, Rejection)
    assert opened.code in CODES
