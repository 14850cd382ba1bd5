"""The languages of pages: their texts, and dates, numbers and riel in their forms."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from starlette.requests import Request

from shared.refusals import LANGUAGES, sentences

COOKIE = "language"
NAMES = {"en": "English", "km": "ភាសាខ្មែរ"}
"""Each language in its own words."""


_LOCALES = {code: Locale(code) for code in LANGUAGES}
_NO_COUNTRIES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB XK ZZ".split())  # noqa: SIM905
COUNTRIES = tuple(
    code for code in map(str, _LOCALES["en"].territories) if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
)
"""The codes of ISO 3166. CLDR has some more."""


class Language:
    """One language: translates the texts of templates, and formats values.

    `translations`: folders with `<language>.po`. A text that has no translation stays in English.
    """

    def __init__(self, code: str, translations: Sequence[Path], zone: ZoneInfo) -> None:
        self.code = code
        self.name = NAMES[code]
        self.zone = zone
        self._locale = Locale.parse(code)
        self._date = lru_cache(maxsize=1000)(partial(format_date, format="d MMMM y", locale=self._locale))
        self._texts: dict[object, Any] = {}
        for file in (folder / f"{code}.po" for folder in translations):
            if file.exists():
                self._texts |= _texts_of(file)

    def gettext(self, text: str) -> str:
        """The translation of a text."""
        return cast(str, self._texts.get(text, text))

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The translation of a text with a number. Khmer has one form."""
        found = self._texts.get((one, many))
        if found is None:
            return one if count == 1 else many
        return cast(str, found[0] if count == 1 or len(found) == 1 else found[1])

    def either(self, english: str, khmer: str | None) -> str:
        """A text of a service in this language; in English if there is no Khmer one."""
        return khmer if self.code == "km" and khmer else english

    def date(self, day: date | None) -> str:
        """A legal date, such as 26 November 2026."""
        return self._date(day) if day else "–"

    def instant(self, at: datetime | None, pattern: str | None = None) -> str:
        """An instant in the zone of the country, without seconds, or by a pattern of CLDR."""
        if at and pattern:
            return format_datetime(at.astimezone(self.zone), pattern, locale=self._locale)
        return self.exactly(at)[:-3] if at else "–"

    def exactly(self, at: datetime | None) -> str:
        """An instant with seconds."""
        if at is None:
            return "–"
        local = at.astimezone(self.zone)
        return f"{self._date(local.date())}, {local.isoformat()[11:19]}"

    def since(self, at: datetime, now: datetime) -> str:
        """How long ago an instant was, such as 3 days."""
        return format_timedelta(now - at, locale=self._locale)

    def number(self, value: int | Decimal | None) -> str:
        """A number with its digits grouped, without added or lost decimals."""
        return "–" if value is None else format_decimal(value, format="#,##0.######", locale=self._locale)

    def riel(self, amount: int | None) -> str:
        """An amount of riel. It has no decimals."""
        return "–" if amount is None else f"{self.number(amount)} {'៛' if self.code == 'km' else 'KHR'}"

    def refusal(self, code: str, values: dict[str, str], fallback: str) -> str:
        """The sentence of a refusal."""
        template = sentences(self.code).get(code)
        try:
            return template.format_map(values) if template else fallback
        except (KeyError, IndexError, ValueError):
            return fallback


class Languages:
    """The languages of pages, and which one a person reads."""

    def __init__(self, translations: Sequence[Path], zone: ZoneInfo) -> None:
        self.all = {code: Language(code, translations, zone) for code in LANGUAGES}

    def of(self, request: Request, chosen: str | None = None) -> Language:
        """The person's choice, then the cookie, then Accept-Language, then English."""
        for code in (chosen, request.cookies.get(COOKIE)):
            if code in self.all:
                return self.all[code]
        return self.all[_negotiated(request.headers.get("accept-language", "")[:500])]


@lru_cache(maxsize=1000)
def _negotiated(header: str) -> str:
    """The language for an Accept-Language header."""
    return negotiate_locale(_accepted(header), LANGUAGES, sep="-") or "en"


def _accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, the preferred first."""
    weighted = []
    for position, part in enumerate(header.split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            weighted.append((-float(quality or 1), position, name))
        except ValueError:
            continue
    return [name for _, _, name in sorted(weighted)]


def _texts_of(file: Path) -> dict[object, Any]:
    with file.open("rb") as opened:
        translation = read_po(opened, locale=file.stem)  # Khmer has one form for every number
    found: dict[object, Any] = {}
    for message in translation:
        if message.id and all(message.string if isinstance(message.string, tuple) else (message.string,)):
            key = tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id
            found[key] = message.string
    return found


def country_name(code: str, language: str) -> str:
    """The name of a country (CLDR); its code if there is none."""
    return str(_LOCALES[language].territories.get(code, code))
