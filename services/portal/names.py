"""The names of countries, offices and units in each language. The services know them by their codes."""

import json
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from shared.web.languages import COUNTRIES, Language, country_name

DATA = Path(__file__).parent / "data"


class Names:
    """The names in one language. An unknown code is its own name."""

    def __init__(self, language: Language) -> None:
        self._language = language.code

    def country(self, code: str) -> str:
        """The name of a country; that of CLDR if the file has none."""
        named = self._name("countries", code)
        return country_name(code, self._language) if named == code else named

    def office(self, code: str) -> str:
        """The name of an office."""
        return self._name("offices", code)

    def unit(self, code: str) -> str:
        """The name of a unit."""
        return self._name("units", code)

    def partners(self) -> list[tuple[str, str]]:
        """The codes and names of the countries with which documents are exchanged."""
        return self._choices([row for row in _rows("countries") if row["exchanges"]])

    def countries(self, codes: Collection[str]) -> list[tuple[str, str]]:
        """These countries, by name; all if there are no codes."""
        return sorted(((code, self.country(code)) for code in codes or COUNTRIES), key=lambda choice: choice[1])

    def offices(self) -> list[tuple[str, str]]:
        """The codes and names of all offices."""
        return self._choices(_rows("offices"))

    def units(self) -> list[tuple[str, str]]:
        """The codes of common units, each with its name."""
        return [(row["code"], f"{row['code']} – {row[self._language]}") for row in _rows("units")]

    def _choices(self, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
        return [(row["code"], row[self._language]) for row in rows]

    def _name(self, kind: str, code: str) -> str:
        return next((str(row[self._language]) for row in _rows(kind) if row["code"] == code), code)


@cache
def _rows(kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((DATA / f"{kind}.json").read_text(encoding="utf-8"))
    return rows
