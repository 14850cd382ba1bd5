"""Checks the documents of applicants before an officer can open them: each is a PDF without active content.

Memory and time are bounded: a file that would need more is refused. The check has no I/O and runs in another process.
"""

import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from time import monotonic
from typing import Any, NoReturn
from warnings import catch_warnings, simplefilter

from PIL import Image
from pypdf import Configuration, PdfReader, apply_configuration
from pypdf.errors import LimitReachedError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

from shared.refusals import Refused

MAX_PAGES = 200
MAX_OBJECTS = 50_000
MAX_DEPTH = 500
MAX_UNPACKED = 256 * 1024 * 1024
"""Bytes of all streams of a PDF, unpacked: about ten scanned pages of 300 dpi."""
MAX_IN_MEMORY = 16 * 1024 * 1024
"""Bytes of one stream that must be unpacked in memory, such as a stream of objects."""
MAX_PIXELS = 100_000_000
MAX_SECONDS = 10.0

MIN_PHOTO_PIXELS = (300, 450)
"""The smallest width and height of a photo of 4 x 6 cm: about 190 dots per inch (ours)."""
MAX_PHOTO_PIXELS = 25_000_000
PHOTO_RATIO, RATIO_MARGIN = 4 / 6, 0.04

ACTIVE_KEYS = {
    "/JS": "JavaScript",
    "/JavaScript": "JavaScript",
    "/XFA": "an XFA form",
    "/AA": "actions that start by themselves",
    "/EmbeddedFiles": "embedded files",
    "/EF": "embedded files",
    "/RichMediaContent": "rich media",
    "/RichMediaSettings": "rich media",
}
ACTIVE_KINDS = {
    "/JavaScript": "JavaScript",
    "/Launch": "an action that starts a program",
    "/ImportData": "an action that imports data",
    "/SubmitForm": "an action that sends data",
    "/GoToR": "an action that opens another file",
    "/GoToE": "an action that opens another file",
    "/Rendition": "rich media",
    "/Movie": "rich media",
    "/Sound": "rich media",
    "/RichMedia": "rich media",
    "/RichMediaExecute": "rich media",
    "/3D": "rich media",
    "/Screen": "rich media",
    "/FileAttachment": "embedded files",
    "/EmbeddedFile": "embedded files",
}
_RAW = re.compile(rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia\w*|XFA|FileAttachment)\b")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_IMAGE_FILTERS = {"/DCTDecode", "/DCT", "/JPXDecode", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode"}


class DocumentUnfit(Refused):
    code = "paper_unfit"


class NotAPdf(DocumentUnfit):
    code = "paper_not_a_pdf"


class PdfBroken(DocumentUnfit):
    code = "paper_broken"


class PdfEncrypted(DocumentUnfit):
    code = "paper_encrypted"


class PdfActs(DocumentUnfit):
    code = "paper_with_active_content"


class PdfTooMuch(DocumentUnfit):
    code = "paper_too_much"


class PagesTooMany(PdfTooMuch):
    variant = "pages"


class NotAPhoto(DocumentUnfit):
    code = "paper_not_a_photo"


class PhotoSizeWrong(NotAPhoto):
    variant = "size"


class PhotoTooLarge(NotAPhoto):
    variant = "pixels"


def examine(kind: str, content: bytes) -> None:
    """A photo must be a JPEG or PNG, every other document a PDF. Raises DocumentUnfit."""
    if kind == "photo":
        _examine_photo(content)
    else:
        _examine_pdf(content)


def _examine_pdf(content: bytes) -> None:
    if b"%PDF-" not in content[:1024]:
        raise NotAPdf("sha256")
    plain = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)
    if found := _RAW.search(plain):
        _refuse_active(found[1].decode())
    limits = Configuration(
        maximum_declared_stream_length=len(content),
        zlib_maximum_output_length=MAX_IN_MEMORY,
        lzw_maximum_output_length=MAX_IN_MEMORY,
        run_length_maximum_output_length=MAX_IN_MEMORY,
        array_based_stream_maximum_output_length=MAX_IN_MEMORY,
        stream_decoding_work_maximum_length=4 * MAX_IN_MEMORY,
        jbig2dec_binary=None,
    )
    try:
        with apply_configuration(limits), catch_warnings():
            simplefilter("ignore")
            _walk(PdfReader(BytesIO(content), root_object_recovery_limit=1000, xref_stream_maximum_entries=MAX_OBJECTS))
    except DocumentUnfit:
        raise
    except (LimitReachedError, MemoryError, RecursionError):
        raise PdfTooMuch("sha256") from None
    except Exception:  # the officer's PDF viewer might read a broken file differently
        raise PdfBroken("sha256") from None


def _walk(reader: PdfReader) -> None:
    """Checks every object that a viewer can reach."""
    if reader.is_encrypted:
        raise PdfEncrypted("sha256")
    if not 1 <= len(reader.pages) <= MAX_PAGES:
        raise PagesTooMany("sha256", most=MAX_PAGES, pages=len(reader.pages))
    ends, unpacked, looked_at = monotonic() + MAX_SECONDS, 0, 0
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[Any, int]] = [(reader.trailer, 0)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, IndirectObject):
            if (item.idnum, item.generation) in seen:
                continue
            seen.add((item.idnum, item.generation))
            item, depth = item.get_object(), 0
        looked_at += 1
        if looked_at > MAX_OBJECTS * 10 or len(seen) > MAX_OBJECTS or depth > MAX_DEPTH or monotonic() > ends:
            raise PdfTooMuch("sha256")
        if isinstance(item, StreamObject):
            unpacked += _unpacked_size(item)
            if unpacked > MAX_UNPACKED:
                raise PdfTooMuch("sha256")
        if isinstance(item, DictionaryObject):
            _must_be_passive(item)
            waiting += [(value, depth + 1) for value in item.values()]
        elif isinstance(item, ArrayObject):
            waiting += [(value, depth + 1) for value in item]


def _must_be_passive(item: DictionaryObject) -> None:
    for key, what in ACTIVE_KEYS.items():
        if key in item:
            _refuse_active(what)
    for key in ("/S", "/Subtype", "/Type"):
        value = item.get(key)
        if isinstance(value, str) and value in ACTIVE_KINDS and not _is_structure(item, key):
            _refuse_active(ACTIVE_KINDS[value])
    opening = item.get("/OpenAction")
    opening = opening.get_object() if opening is not None else None
    if isinstance(opening, DictionaryObject) and opening.get("/S") != "/GoTo":
        _refuse_active("an action when it is opened")


def _is_structure(item: DictionaryObject, key: str) -> bool:
    """Whether the name is that of a structure element, which may have any name."""
    return key == "/S" and "/P" in item and "/K" in item


def _refuse_active(what: str) -> NoReturn:
    raise PdfActs("sha256", content=what)


def _unpacked_size(stream: StreamObject) -> int:
    """The unpacked size of a stream in bytes, counted without keeping them in memory."""
    filters = list(_names(stream.get("/Filter")))
    if _IMAGE_FILTERS & set(filters):
        width, height = stream.get("/Width", 0), stream.get("/Height", 0)
        if not (isinstance(width, int) and isinstance(height, int)) or width * height > MAX_PIXELS:
            raise PdfTooMuch("sha256")
    packed: bytes = stream._data
    if filters in (["/FlateDecode"], ["/Fl"]):
        return _inflated_size(packed)
    if len([name for name in filters if name not in _IMAGE_FILTERS]) > 2:
        raise PdfTooMuch("sha256")
    return len(stream.get_data()) if filters and not _IMAGE_FILTERS & set(filters) else len(packed)


def _names(filters: Any) -> Iterator[str]:
    filters = filters.get_object() if filters is not None else ()
    if isinstance(filters, ArrayObject):
        yield from (str(name.get_object()) for name in filters)
    elif isinstance(filters, str):
        yield str(filters)


def _inflated_size(packed: bytes) -> int:
    unpacking, size = zlib.decompressobj(), 0
    while packed and not unpacking.eof:
        try:
            size += len(unpacking.decompress(packed, 1024 * 1024))
        except zlib.error:
            break  # viewers show the part before the error
        if size > MAX_UNPACKED:
            raise PdfTooMuch("sha256")
        packed = unpacking.unconsumed_tail
    return size


def _examine_photo(content: bytes) -> None:
    least = f"{MIN_PHOTO_PIXELS[0]} x {MIN_PHOTO_PIXELS[1]}"
    try:
        with catch_warnings():
            simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as photo:
                width, height = photo.size
                if width * height > MAX_PHOTO_PIXELS:
                    raise PhotoTooLarge("sha256", most=f"{MAX_PHOTO_PIXELS:,}", size=f"{width} x {height}")
                photo.load()
    except NotAPhoto:
        raise
    except Exception:
        raise NotAPhoto("sha256") from None
    if width < MIN_PHOTO_PIXELS[0] or height < MIN_PHOTO_PIXELS[1] or abs(width / height - PHOTO_RATIO) > RATIO_MARGIN:
        raise PhotoSizeWrong("sha256", least=least, size=f"{width} x {height}")
