"""The digest of a document as XML: every value counts, the way it is written does not."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from shared.contracts.certificates.documents import Company, DocumentInvoice, Exhibition, Original
from shared.xml.documents import (
    NotXml,
    digest_of_element,
    digests_of,
    document_in,
    message_namespace,
    parse,
    read_document,
    reference_in,
    write_document,
)
from tests.gateway.builders import a_form, an_export_declaration, an_item

FULL = a_form(
    items=(
        an_item(
            manufacturer="Angkor Mill",
            trade_mark="ANGKOR",
            more_invoices=(DocumentInvoice(number="I2", date=date(2026, 3, 1)),),
        ),
        an_item(2),
    ),
    third_country_invoice=Company(name="Broker", country="HK"),
    exhibition=Exhibition(name="Food Expo", address="Hanoi"),
    originals=(Original(reference="VN-1", country="TH", issued_on=date(2026, 1, 2)),),
    accumulation=True,
    route="Via Laem Chabang",
    declared_on=date(2026, 3, 1),
    declared_by="Sok Dara",
    replaces="D2026-PNH-000007",
)
WRITTEN = write_document(FULL)
DIGEST = digest_of_element(parse(WRITTEN))
VALUES = [
    (number, name)
    for number, element in enumerate(parse(WRITTEN).iter())
    for name in (*element.attrib, *([None] if len(element) == 0 else []))
]


def test_a_document_is_read_as_it_was_written() -> None:
    assert read_document(parse(WRITTEN)) == FULL
    assert digests_of(FULL) == (DIGEST,)


@pytest.mark.parametrize("document", [a_form(), an_export_declaration()])
def test_each_version_that_can_express_a_document_has_a_digest(document: Any) -> None:
    versions = (1, 2) if hasattr(document, "valid_until") else (2,)
    assert digests_of(document) == tuple(digest_of_element(parse(write_document(document, each))) for each in versions)


@given(st.sampled_from(VALUES), st.sampled_from(["x", " ", "0", "é", ""]))
def test_every_other_value_gives_another_digest(place: tuple[int, str | None], added: str) -> None:
    number, name = place
    root = parse(WRITTEN)
    element = list(root.iter())[number]
    value = (element.get(name) if name else element.text) or ""
    changed = value + added if added else value[:-1]
    if name:
        element.set(name, changed)
    else:
        element.text = changed

    assert digest_of_element(root) != DIGEST


@pytest.mark.parametrize("number", range(1, len(list(parse(WRITTEN).iter()))))
def test_an_element_that_is_removed_repeated_or_added_gives_another_digest(number: int) -> None:
    removed, repeated, added = parse(WRITTEN), parse(WRITTEN), parse(WRITTEN)
    gone, twice, more = (list(root.iter())[number] for root in (removed, repeated, added))
    gone.getparent().remove(gone)
    twice.addnext(parse(etree.tostring(twice)))
    etree.SubElement(more, "More")

    assert DIGEST not in {digest_of_element(root) for root in (removed, repeated, added)}


def test_indentation_and_prefixes_do_not_count() -> None:
    indented = parse(WRITTEN)
    etree.indent(indented)
    prefixed = WRITTEN.replace(b"xmlns=", b"xmlns:d=").replace(b"</", b"</d:").replace(b"<d:/", b"</")
    prefixed = b"".join(
        b"<d:" + part if index and not part.startswith((b"/", b"?")) else (b"<" + part if index else part)
        for index, part in enumerate(prefixed.split(b"<"))
    )

    assert digest_of_element(parse(etree.tostring(indented))) == DIGEST
    assert digest_of_element(parse(prefixed)) == DIGEST


BARE = etree.tostring(parse(WRITTEN))


def message(content: bytes, namespace: str = message_namespace(2)) -> bytes:
    return f'<Message xmlns="{namespace}"><ID>1</ID><Document>'.encode() + content + b"</Document></Message>"


def test_a_document_is_found_in_a_message() -> None:
    element = document_in(message(BARE))

    assert (reference_in(element), digest_of_element(element)) == (FULL.reference, DIGEST)


HOSTILE = [
    b"",
    b"<a",
    b"<a/>",
    b"\xff\xfe<a/>",
    b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    b"<a>" * 40 + b"</a>" * 40,
    message(BARE + BARE),
    message(BARE, "urn:other"),
    message(b"<Part>" + BARE + b"</Part>"),
    b"<m>" + BARE + b"</m>",
    b'<EFormD xmlns="urn:co-automation:asw:e-form-d:3">' + BARE + b"</EFormD>",
    BARE.replace(b"e-form-d:2", b"e-form-d:3"),
    BARE.replace(b"<IssueDate>", b"<IssueDate><!-- 2 -->"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_without_exactly_one_document_is_refused(text: bytes) -> None:
    with pytest.raises(NotXml):
        document_in(text)
