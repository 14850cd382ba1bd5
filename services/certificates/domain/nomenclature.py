"""The nomenclature in force: it knows codes, finds lines by code or words, and names the codes that were probably meant."""

import hashlib
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from shared.refusals import Refused

CHAPTER, HEADING, SUBHEADING = 2, 4, 6
"""The digits of the levels of the Harmonized System. A longer code is a national line."""
MAX_WORDS = 10
LAST = "\U0010ffff"

_BETWEEN_WORDS = re.compile(r"[\s!-/:-@\[-`{-~]+")
_CODE = re.compile(r"[0-9][0-9. ]*")


class HsCodeUnknown(Refused):
    code = "hs_code_unknown"


class HsCodeUnlikeAny(HsCodeUnknown):
    code = "hs_code_unlike_any"


class NomenclatureAltered(Refused):
    code = "nomenclature_altered"


class NomenclatureLineAlone(Refused):
    code = "nomenclature_line_alone"


@dataclass(frozen=True)
class Line:
    """One line of an edition."""

    code: str
    description: str


@dataclass(frozen=True)
class Unknown:
    """A code that the edition does not have, the field with it, and the codes that were probably meant."""

    field: str
    code: str
    nearest: Sequence[Line]


class Nomenclature:
    """One edition, in memory."""

    def __init__(self, edition: str, lines: Iterable[Line]) -> None:
        self.edition = edition
        self._lines = sorted(lines, key=lambda line: line.code)
        self._codes = [line.code for line in self._lines]
        self._texts = {line.code: line.description for line in self._lines}
        own = {line.code: words_of(line.description) for line in self._lines}
        with_word: dict[str, set[int]] = defaultdict(set)
        for place, code in enumerate(self._codes):
            for each in (*_above(code), code):
                for word in own.get(each, ()):
                    with_word[word].add(place)
        self._words = sorted(with_word)
        self._places: Mapping[str, set[int]] = with_word

    def __len__(self) -> int:
        return len(self._lines)

    def knows(self, code: str) -> bool:
        """Whether the first six digits are a subheading: the national digits after them differ in each country."""
        return code[:SUBHEADING] in self._texts and len(code) >= SUBHEADING

    def unknown_among(self, codes: Iterable[tuple[str, str]]) -> list[Unknown]:
        """The unknown ones of these fields and codes."""
        return [Unknown(field, code, self.nearest(code)) for field, code in codes if not self.knows(code)]

    def must_know(self, codes: Iterable[tuple[str, str]]) -> None:
        """Refuses unknown codes; all their fields are named. Raises HsCodeUnknown."""
        if unknown := self.unknown_among(codes):
            first = unknown[0]
            fields = [each.field for each in unknown]
            if not first.nearest:
                raise HsCodeUnlikeAny(*fields, code=first.code, edition=self.edition)
            nearest = "; ".join(f"{line.code} ({_shortened(line.description)})" for line in first.nearest)
            raise HsCodeUnknown(*fields, code=first.code, edition=self.edition, nearest=nearest)

    def nearest(self, code: str, count: int = 3) -> list[Line]:
        """The subheadings that were probably meant: one digit wrong, two digits exchanged, or the same heading."""
        wanted = code[:SUBHEADING]
        ranked = sorted(
            (not _one_slip(wanted, each.code), -_common(wanted, each.code), _apart(wanted, each.code), each.code)
            for each in self._lines
            if len(each.code) == SUBHEADING and (_common(wanted, each.code) >= CHAPTER or _one_slip(wanted, each.code))
        )
        return [Line(found, self._texts[found]) for *_, found in ranked[:count]]

    def within(self, code: str) -> list[str]:
        """The descriptions of the chapter, heading and subheading above a line."""
        return [self._texts[each] for each in _above(code) if each in self._texts]

    def search(self, text: str, count: int) -> list[Line]:
        """The lines that begin with a code, or contain every word. The most specific are first.

        A national code that no line has finds its subheading.
        """
        places: Iterable[int]
        if _CODE.fullmatch(text.strip()):
            code = re.sub(r"[. ]", "", text)
            places = self._beginning(code) or self._beginning(code[:SUBHEADING])
        else:
            places = self._containing(sorted(words_of(text), key=len, reverse=True)[:MAX_WORDS])
        return [self._lines[place] for place in sorted(places, key=self._rank)[:count]]

    def _rank(self, place: int) -> tuple[int, str]:
        code = self._codes[place]
        return -len(code), code

    def _beginning(self, code: str) -> range:
        return range(bisect_left(self._codes, code), bisect_left(self._codes, code + LAST))

    def _containing(self, words: Sequence[str]) -> set[int]:
        found: set[int] | None = None
        for word in words:
            matching = self._words[bisect_left(self._words, word) : bisect_left(self._words, word + LAST)]
            places = set().union(*(self._places[each] for each in matching))
            found = places if found is None else found & places
        return found or set()


def words_of(text: str) -> set[str]:
    """The words of a text, in lower case and without accents."""
    plain = "".join(c for c in normalize("NFKD", text.casefold()) if not 0x300 <= ord(c) < 0x370)
    return {word for word in _BETWEEN_WORDS.split(plain) if word}


def sha256_of(lines: Iterable[Line]) -> str:
    """The digest of an edition, whatever the order of its lines."""
    ordered = sorted(lines, key=lambda line: line.code)
    return hashlib.sha256("".join(f"{line.code}\t{line.description}\n" for line in ordered).encode()).hexdigest()


def must_be_whole(lines: Sequence[Line], sha256: str) -> None:
    """Refuses an edition that differs from its file, or has a line without the line above it.

    Raises NomenclatureAltered, NomenclatureLineAlone.
    """
    if sha256_of(lines) != sha256:
        raise NomenclatureAltered("sha256")
    codes = {line.code for line in lines}
    for line in lines:
        if missing := [above for above in _above(line.code) if above not in codes]:
            raise NomenclatureLineAlone("lines", code=line.code, missing=missing[-1])


def _above(code: str) -> list[str]:
    return [code[:digits] for digits in (CHAPTER, HEADING, SUBHEADING) if digits < len(code)]


def _common(one: str, other: str) -> int:
    """The digits that both begin with."""
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _apart(one: str, other: str) -> int:
    return abs(int(one) - int(other))


def _one_slip(one: str, other: str) -> bool:
    """Whether one digit differs, or two neighbours are exchanged."""
    different = [place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    if len(different) == 1:
        return True
    if len(different) != 2 or different[1] != different[0] + 1:
        return False
    first, second = different
    return one[first] == other[second] and one[second] == other[first]


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip(' ,;')}…"
