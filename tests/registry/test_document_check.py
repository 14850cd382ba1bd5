"""Documents are checked before an officer opens them: a PDF without active content, at a bounded cost."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from time import process_time

import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.annotations import Link
from pypdf.generic import ArrayObject, DictionaryObject, Fit, NameObject, NumberObject, StreamObject, TextStringObject

from shared.contracts.registry.particulars import PutRegistrationFile
from shared.uploads.document_check import DocumentUnfit, examine
from tests.registry.builders import FILES, a_pdf, an_application, attach
from tests.support.service_under_test import ServiceUnderTest, a_person


def a_document(change: Callable[[PdfWriter], object]) -> bytes:
    """A PDF of one page, changed by a function."""
    document, paper = PdfWriter(), BytesIO()
    document.add_blank_page(width=595, height=842)
    change(document)
    document.write(paper)
    return paper.getvalue()


def names(**entries: object) -> DictionaryObject:
    """A dictionary of a PDF."""
    return DictionaryObject({NameObject(f"/{key}"): value for key, value in entries.items()})  # type: ignore[misc]


def name(word: str) -> NameObject:
    return NameObject(f"/{word}")


def with_root(key: str, value: object) -> Callable[[PdfWriter], object]:
    return lambda document: document._root_object.update({NameObject(f"/{key}"): value})


def with_annotation(**entries: object) -> Callable[[PdfWriter], object]:
    def change(document: PdfWriter) -> None:
        rectangle = ArrayObject([NumberObject(0)] * 4)
        annotation = document._add_object(names(Type=name("Annot"), Rect=rectangle, **entries))
        document.pages[0][NameObject("/Annots")] = ArrayObject([annotation])

    return change


def with_content(packed: bytes, *filters: str, **entries: object) -> Callable[[PdfWriter], object]:
    def change(document: PdfWriter) -> None:
        stream = StreamObject()
        stream._data = packed
        stream.update(names(Filter=ArrayObject([name(each) for each in filters]), **entries))
        document.pages[0][NameObject("/Contents")] = document._add_object(stream)

    return change


def launching(document: PdfWriter) -> None:
    with_annotation(Subtype=name("Link"), A=names(S=name("Launch"), F=TextStringObject("calc.exe")))(document)


def opening_with(action: object) -> Callable[[PdfWriter], object]:
    return with_root("OpenAction", action)


def packed_zeros(megabytes: int) -> bytes:
    """So many megabytes of zeros, compressed."""
    packing, megabyte = zlib.compressobj(9), bytes(1024 * 1024)
    return b"".join([*(packing.compress(megabyte) for _ in range(megabytes)), packing.flush()])


def running(script: str) -> Callable[[PdfWriter], object]:
    return opening_with(names(S=name("JavaScript"), JS=TextStringObject(script)))


Change = Callable[[PdfWriter], object]

BROKEN: dict[str, tuple[bytes, str]] = {
    "text": (b"This is no PDF at all.", "paper_not_a_pdf"),
    "nothing": (b"\n", "paper_not_a_pdf"),
    "a program": (b"MZ" + bytes(5000), "paper_not_a_pdf"),
    "one line": (b"%PDF-1.4\n% Certificate of incorporation\n%%EOF\n", "paper_broken"),
    "cut off": (a_pdf()[:200], "paper_broken"),
    "noise": (b"%PDF-1.7\n" + bytes(range(256)) * 40, "paper_broken"),
    "JavaScript with an escaped name": (
        a_document(running("x")).replace(b"/JavaScript", b"/Java#53cript"),
        "paper_with_active_content",
    ),
}

ACTIVE: dict[str, Change] = {
    "JavaScript": running("app.alert('x');"),
    "JavaScript by name": with_root("Names", names(JavaScript=names(Names=ArrayObject([])))),
    "an embedded file": lambda document: document.add_attachment("x.exe", b"MZ"),
    "a launch": launching,
    "an open action": opening_with(names(S=name("URI"), URI=TextStringObject("https://example.org"))),
    "an action of the page": lambda document: document.pages[0].update({NameObject("/AA"): names(O=names(S=name("Named")))}),
    "an XFA form": with_root("AcroForm", names(XFA=TextStringObject("<x/>"))),
    "rich media": with_annotation(Subtype=name("RichMedia")),
    "a film": with_annotation(Subtype=name("Screen")),
}

TOO_MUCH: dict[str, Change] = {
    "a bomb": lambda document: with_content(packed_zeros(300), "FlateDecode")(document),
    "a bomb in a bomb": lambda document: with_content(zlib.compress(packed_zeros(64)), "FlateDecode", "FlateDecode")(document),
    "bombs in a row": with_content(b"x", "FlateDecode", "FlateDecode", "FlateDecode"),
    "a bomb of runs": with_content(b"\x81\x00" * 200_000, "RunLengthDecode"),
    "an image of a million lines": with_content(
        b"x", "JPXDecode", Width=NumberObject(1_000_000), Height=NumberObject(1_000_000)
    ),
    "hundreds of pages": lambda document: [document.add_blank_page(width=10, height=10) for _ in range(201)],
}

LOCKED: dict[str, Change] = {
    "a password": lambda document: document.encrypt("secret", algorithm="RC4-128"),
    "an empty password": lambda document: document.encrypt("", "owner", algorithm="RC4-128"),
}

CHANGED = {
    **dict.fromkeys(ACTIVE, "paper_with_active_content"),
    **dict.fromkeys(TOO_MUCH, "paper_too_much"),
    **dict.fromkeys(LOCKED, "paper_encrypted"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_sound_pdf_is_refused_with_the_reason(what: str) -> None:
    content, code = BROKEN[what]
    must_be_refused(content, code)


@pytest.mark.parametrize("what", CHANGED)
def test_what_is_not_a_plain_document_is_refused_with_the_reason_and_soon(what: str) -> None:
    must_be_refused(a_document({**ACTIVE, **TOO_MUCH, **LOCKED}[what]), CHANGED[what])


def must_be_refused(content: bytes, code: str) -> None:
    began = process_time()
    with pytest.raises(DocumentUnfit) as refused:
        examine("identity_document", content)
    assert (refused.value.code, refused.value.fields) == (code, ("sha256",))
    assert refused.value.detail.endswith(".")
    assert process_time() - began < 5


def test_a_bomb_of_objects_is_not_unpacked() -> None:
    packed = packed_zeros(64)
    head = b"%PDF-1.7\n1 0 obj\n<</Type/XRef/Size 3/W[1 4 2]/Root 2 0 R/Filter/FlateDecode/Length "
    content = head + str(len(packed)).encode() + b">>\nstream\n" + packed + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"
    with pytest.raises(DocumentUnfit) as refused:
        examine("identity_document", content)
    assert refused.value.code in ("paper_too_much", "paper_broken")


def linked(document: PdfWriter) -> None:
    document.add_annotation(0, Link(rect=(0, 0, 10, 10), url="https://example.org"))


FIT = {
    "an empty page": a_pdf(),
    "a link": a_document(linked),
    "a place to open at": a_document(opening_with(ArrayObject([NumberObject(0), name("Fit")]))),
    "bookmarks": a_document(lambda document: document.add_outline_item(title="1", page_number=0, fit=Fit.fit())),
    "a scan": a_document(with_content(packed_zeros(30), "FlateDecode")),
    "a hundred pages": a_document(lambda document: [document.add_blank_page(width=10, height=10) for _ in range(100)]),
}


@pytest.mark.parametrize("what", FIT)
def test_a_plain_document_is_taken(what: str) -> None:
    assert examine("identity_document", FIT[what]) is None


def an_image(size: tuple[int, int], kind: str = "JPEG") -> bytes:
    image = BytesIO()
    Image.new("RGB", size).save(image, kind)
    return image.getvalue()


def a_png_that_says_it_is(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_is_a_jpeg_or_png_of_four_by_six(kind: str) -> None:
    assert examine("photo", an_image((472, 709), kind)) is None


@pytest.mark.parametrize(
    "content",
    [
        a_pdf(),
        an_image((472, 709), "GIF"),
        an_image((600, 400)),
        an_image((200, 300)),
        an_image((472, 709))[:400],
        a_png_that_says_it_is(100_000, 150_000),
        b"",
    ],
    ids=["a PDF", "a GIF", "lying", "too small", "cut off", "a bomb", "nothing"],
)
def test_what_is_no_such_photo_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentUnfit) as refused:
        examine("photo", content)
    assert (refused.value.code, refused.value.fields) == ("paper_not_a_photo", ("sha256",))


async def test_an_officer_sees_no_document_that_was_not_checked(service: ServiceUnderTest) -> None:
    application = an_application()
    await service.ask(application)
    refused = await attach(service, application.exporter_id, "identity_document", a_document(running("x")))
    assert (refused.code, refused.fields) == ("paper_with_active_content", ("sha256",))
    photo, _ = FILES["photo"]  # type: ignore[index]
    assert (await attach(service, application.exporter_id, "identity_document", photo)).code == "paper_not_a_pdf"
    assert (await attach(service, application.exporter_id, "photo", photo)).documents == ("photo",)


async def test_six_megabytes_are_refused_before_they_are_sent(service: ServiceUnderTest) -> None:
    application = an_application()
    await service.ask(application)
    owner = application.exporter_id
    command = PutRegistrationFile(
        owner_id=owner, sha256="0" * 64, size=6 * 1024 * 1024, media_type="application/pdf", offset=0, chunk=b"%PDF-"
    )
    refused = await service.ask(command, a_person(organisation=owner))
    assert (refused.code, refused.fields) == ("file_too_large", ("size",))
