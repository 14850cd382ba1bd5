"""Reading a typed reference: what people confuse is corrected, and what is unusual is named. Standard library only."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from shared.refusals import Refused

EXAMPLE = "D2026-PNH-000123"
MAX_TYPED = 60
"""Maximum characters of a typed reference, with spaces."""
FIRST_YEAR = 2018
"""The first year in which certificates of this form of reference were issued."""

REFERENCE = re.compile(r"[A-Z0-9]{1,8}-[A-Z]{2,5}-[0-9]{6,9}")
EXACT = re.compile(r"[A-Z]{1,4}2[0-9]{3}-[A-Z]{2,5}-[0-9]{6,9}")
"""A reference as it is printed. Nothing in it can be misread."""
SEPARATORS = re.compile(r"[\s\-‐‑‒–—−_./\\·]+")
AS_DIGITS = str.maketrans("OIL", "011")
AS_LETTERS = str.maketrans("01", "OI")
KHMER_DIGITS = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")
FORM_AND_YEAR = re.compile(r"([A-Z]{1,4})(2[0-9OIL]{3})")
JOINED = r"([A-Z]{{1,4}})(2[0-9OIL]{{3}})({office})([0-9OIL]{{1,9}})"


class ReferenceMalformed(Refused):
    code = "reference_malformed"


@dataclass(frozen=True)
class Unusual:
    """A part of a reference that no certificate has. `value`: what was typed."""

    part: Literal["form", "year", "office"]
    value: str


def read_reference(typed: str, offices: Collection[str] = ()) -> str:
    """The reference that a person meant. Raises ReferenceMalformed.

    It accepts spaces, lower case, any dash or none, Khmer digits, missing leading zeros, and O for 0 or I for 1 and the
    reverse. `offices`: the known offices; they decide where an office ends if no dash does.
    """
    if len(typed) > MAX_TYPED:
        raise ReferenceMalformed("reference", example=EXAMPLE)
    if EXACT.fullmatch(typed):
        return typed
    tidy = unicodedata.normalize("NFKC", typed).translate(KHMER_DIGITS).upper().strip()
    for form, office, serial in _divided([part for part in SEPARATORS.split(tidy) if part], offices):
        read = f"{_with_year(form)}-{office.translate(AS_LETTERS)}-{serial.translate(AS_DIGITS).zfill(6)}"
        if REFERENCE.fullmatch(read):
            return read
    raise ReferenceMalformed("reference", example=EXAMPLE)


def unusual_parts(reference: str, *, forms: Collection[str], offices: Collection[str], this_year: int) -> list[Unusual]:
    """The parts of a well-formed reference that are probably mistyped. It says nothing about existing certificates."""
    prefix, office, _ = reference.split("-")
    found = FORM_AND_YEAR.fullmatch(prefix)
    form, year = (found[1], found[2]) if found else (prefix, "")
    unusual: list[Unusual] = []
    if form not in forms:
        unusual.append(Unusual("form", form))
    if found and not FIRST_YEAR <= int(year) <= this_year:
        unusual.append(Unusual("year", year))
    if office not in offices:
        unusual.append(Unusual("office", office))
    return unusual


def _divided(parts: list[str], offices: Collection[str]) -> list[tuple[str, str, str]]:
    """The ways to divide what was typed into form with year, office and serial number, the likely one first."""
    divided = [(parts[0], parts[1], parts[2])] if len(parts) == 3 else []
    joined = "".join(parts)
    known = "|".join(sorted(map(re.escape, offices), key=len, reverse=True))
    for office in (*((known,) if known else ()), "[A-Z]{2,5}?"):
        if found := re.fullmatch(JOINED.format(office=office), joined):
            divided.append((found[1] + found[2], found[3], found[4]))
    return divided


def _with_year(prefix: str) -> str:
    """The form with the year, with the digits of the year as digits."""
    found = FORM_AND_YEAR.fullmatch(prefix)
    return f"{found[1]}{found[2].translate(AS_DIGITS)}" if found else prefix
