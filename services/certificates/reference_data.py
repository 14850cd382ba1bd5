"""Data that a law or the ministry can change: the forms with their dates of effect, and the issuing offices."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.certificates.domain.form import Form, FormNotOffered, OfficeUnknown
from shared.dated import NothingInForce, in_force
from shared.settings import Settings

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class ReferenceData:
    """The forms and the issuing offices of this release."""

    forms: Sequence[Form]
    offices: dict[str, bool]

    @classmethod
    def load(cls) -> "ReferenceData":
        """Reads the data files."""
        forms = [
            Form(
                name=row["form"],
                effective_from=date.fromisoformat(row["effective_from"]),
                members=frozenset(row["members"]),
                criteria=frozenset(row["criteria"]),
                fob_shown_with_rvc_for=frozenset(row["fob_shown_with_rvc_for"]),
            )
            for row in json.loads((DATA / "forms.json").read_text())
        ]
        offices = {row["code"]: row["headquarters"] for row in json.loads((DATA / "offices.json").read_text())}
        return cls(forms, offices)

    def form(self, name: str, on: date) -> Form:
        """The form in force on a day. Raises FormNotOffered."""
        try:
            return in_force([form for form in self.forms if form.name == name], on)
        except NothingInForce:
            raise FormNotOffered("form", form=name, day=on) from None

    def must_have_office(self, office: str) -> None:
        """Refuses an unknown office. Raises OfficeUnknown."""
        if office not in self.offices:
            raise OfficeUnknown("consignment.office", office=office, offices=set(self.offices))

    def is_headquarters(self, office: str) -> bool:
        """Whether the officers of this office act for all offices."""
        return self.offices.get(office, False)


def tools(settings: Settings) -> Iterable[object]:
    """The objects that the handlers of certificates use."""
    yield ReferenceData.load()
