"""Papers that applicants hand in are examined before an officer can open them: really a PDF, and nothing in it acts.

Everything is bounded: no stream is held unpacked, and what would grow too large or take too long is refused. Pure arithmetic,
done in another process.
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

MOST_PAGES = 200
MOST_OBJECTS = 50_000
MOST_DEPTH = 500
MOST_UNPACKED = 256 * 1024 * 1024
"""Bytes of all streams of a PDF, unpacked: some ten scanned pages of 300 dpi."""
MOST_KEPT = 16 * 1024 * 1024
"""Bytes of one stream that has to be unpacked to be read, such as one of objects."""
MOST_PIXELS = 100_000_000
MOST_SECONDS = 10.0

PHOTO_PIXELS = (300, 450)
"""Least width and height of a photo of 4 x 6 cm: about 190 dots per inch (ours)."""
MOST_PHOTO_PIXELS = 25_000_000
PHOTO_RATIO, RATIO_MARGIN = 4 / 6, 0.04

ACTING_KEYS = {
    "/JS": "JavaScript",
    "/JavaScript": "JavaScript",
    "/XFA": "an XFA form",
    "/AA": "actions that start by themselves",
    "/EmbeddedFiles": "embedded files",
    "/EF": "embedded files",
    "/RichMediaContent": "rich media",
    "/RichMediaSettings": "rich media",
}
ACTING_KINDS = {
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


class PaperUnfit(Refused):
    code = "paper_unfit"


class NotAPdf(PaperUnfit):
    code = "paper_not_a_pdf"


class PdfBroken(PaperUnfit):
    code = "paper_broken"


class PdfEncrypted(PaperUnfit):
    code = "paper_encrypted"


class PdfActs(PaperUnfit):
    code = "paper_with_active_content"


class PdfTooMuch(PaperUnfit):
    code = "paper_too_much"


class PagesTooMany(PdfTooMuch):
    variant = "pages"


class NotAPhoto(PaperUnfit):
    code = "paper_not_a_photo"


class PhotoSizeWrong(NotAPhoto):
    variant = "size"


class PhotoTooLarge(NotAPhoto):
    variant = "pixels"


def examine(kind: str, content: bytes) -> None:
    """Refuses a paper that is not what its kind must be: the photo a JPEG or PNG, everything else a PDF. Raises PaperUnfit."""
    if kind == "photo":
        _examine_photo(content)
    else:
        _examine_pdf(content)


def _examine_pdf(content: bytes) -> None:
    if b"%PDF-" not in content[:1024]:
        raise NotAPdf("sha256")
    plain = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)
    if found := _RAW.search(plain):
        _acts(found[1].decode())
    limits = Configuration(
        maximum_declared_stream_length=len(content),
        zlib_maximum_output_length=MOST_KEPT,
        lzw_maximum_output_length=MOST_KEPT,
        run_length_maximum_output_length=MOST_KEPT,
        array_based_stream_maximum_output_length=MOST_KEPT,
        stream_decoding_work_maximum_length=4 * MOST_KEPT,
        jbig2dec_binary=None,
    )
    try:
        with apply_configuration(limits), catch_warnings():
            simplefilter("ignore")
            _walk(PdfReader(BytesIO(content), root_object_recovery_limit=1000, xref_stream_maximum_entries=MOST_OBJECTS))
    except PaperUnfit:
        raise
    except (LimitReachedError, MemoryError, RecursionError):
        raise PdfTooMuch("sha256") from None
    except Exception:  # whatever a parser stumbles over, an officer's might take for something else
        raise PdfBroken("sha256") from None


def _walk(reader: PdfReader) -> None:
    """Looks at every object that a viewer can reach."""
    if reader.is_encrypted:
        raise PdfEncrypted("sha256")
    if not 1 <= len(reader.pages) <= MOST_PAGES:
        raise PagesTooMany("sha256", most=MOST_PAGES, pages=len(reader.pages))
    ends, unpacked, looked_at = monotonic() + MOST_SECONDS, 0, 0
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[Any, int]] = [(reader.trailer, 0)]
    while waiting:
        thing, depth = waiting.pop()
        if isinstance(thing, IndirectObject):
            if (thing.idnum, thing.generation) in seen:
                continue
            seen.add((thing.idnum, thing.generation))
            thing, depth = thing.get_object(), 0
        looked_at += 1
        if looked_at > MOST_OBJECTS * 10 or len(seen) > MOST_OBJECTS or depth > MOST_DEPTH or monotonic() > ends:
            raise PdfTooMuch("sha256")
        if isinstance(thing, StreamObject):
            unpacked += _unpacked_size(thing)
            if unpacked > MOST_UNPACKED:
                raise PdfTooMuch("sha256")
        if isinstance(thing, DictionaryObject):
            _must_not_act(thing)
            waiting += [(value, depth + 1) for value in thing.values()]
        elif isinstance(thing, ArrayObject):
            waiting += [(value, depth + 1) for value in thing]


def _must_not_act(thing: DictionaryObject) -> None:
    for key, what in ACTING_KEYS.items():
        if key in thing:
            _acts(what)
    for key in ("/S", "/Subtype", "/Type"):
        value = thing.get(key)
        if isinstance(value, str) and value in ACTING_KINDS and not _is_structure(thing, key):
            _acts(ACTING_KINDS[value])
    opening = thing.get("/OpenAction")
    opening = opening.get_object() if opening is not None else None
    if isinstance(opening, DictionaryObject) and opening.get("/S") != "/GoTo":
        _acts("an action when it is opened")


def _is_structure(thing: DictionaryObject, key: str) -> bool:
    """A part of the logical structure may be called anything."""
    return key == "/S" and "/P" in thing and "/K" in thing


def _acts(what: str) -> NoReturn:
    raise PdfActs("sha256", content=what)


def _unpacked_size(stream: StreamObject) -> int:
    """How many bytes or pixels a stream unpacks to, counted without holding them."""
    filters = list(_names(stream.get("/Filter")))
    if _IMAGE_FILTERS & set(filters):
        width, height = stream.get("/Width", 0), stream.get("/Height", 0)
        if not (isinstance(width, int) and isinstance(height, int)) or width * height > MOST_PIXELS:
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
            break  # viewers show what came before
        if size > MOST_UNPACKED:
            raise PdfTooMuch("sha256")
        packed = unpacking.unconsumed_tail
    return size


def _examine_photo(content: bytes) -> None:
    least = f"{PHOTO_PIXELS[0]} x {PHOTO_PIXELS[1]}"
    try:
        with catch_warnings():
            simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as photo:
                width, height = photo.size
                if width * height > MOST_PHOTO_PIXELS:
                    raise PhotoTooLarge("sha256", most=f"{MOST_PHOTO_PIXELS:,}", size=f"{width} x {height}")
                photo.load()
    except NotAPhoto:
        raise
    except Exception:
        raise NotAPhoto("sha256") from None
    if width < PHOTO_PIXELS[0] or height < PHOTO_PIXELS[1] or abs(width / height - PHOTO_RATIO) > RATIO_MARGIN:
        raise PhotoSizeWrong("sha256", least=least, size=f"{width} x {height}")
