"""The members of ASEAN as dated data, and the kinds of documents that they exchange. To add a country, add a row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Member:
    """A member: its names by language, and since when it exchanges documents; None if that is not known yet."""

    code: str
    names: Mapping[str, str]
    exchanging_since: date | None

    def exchanges_on(self, day: date) -> bool:
        """Whether it exchanges documents on this day."""
        return self.exchanging_since is not None and self.exchanging_since <= day

    def __str__(self) -> str:
        return f"{self.names['en']} ({self.code})"


@dataclass(frozen=True)
class DocumentKind:
    """A kind of document: its names and its rules.

    `can_be_cancelled`: also replaced. `can_be_decided`: customs decide on the preference. `can_be_verified`: customs can ask
    about it. `added_to_certificate`: an exporter can add it to a certificate; its reference is that of the certificate after
    `reference_prefix`.
    """

    code: str
    names: Mapping[str, str]
    can_be_cancelled: bool
    can_be_decided: bool
    can_be_verified: bool
    added_to_certificate: bool = False
    reference_prefix: str = ""


def load_members(file: Path = DATA / "members.json") -> dict[str, Member]:
    """Every member, by its code."""
    return {
        row["code"]: Member(row["code"], row["name"], row["exchanging_since"] and date.fromisoformat(row["exchanging_since"]))
        for row in json.loads(file.read_text())["members"]
    }


def load_document_kinds(file: Path = DATA / "documents.json") -> dict[str, DocumentKind]:
    """Every kind of document, by its code."""
    return {
        row["code"]: DocumentKind(names=row["name"], **{name: value for name, value in row.items() if name != "name"})
        for row in json.loads(file.read_text())["documents"]
    }


def name_of(members: Mapping[str, Member], country: str) -> str:
    """The name of a country with its code, as in `Viet Nam (VN)`."""
    return str(members[country]) if country in members else country
