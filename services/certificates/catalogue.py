"""What a law or the ministry can change: the forms with their dates of effect, and the issuing offices."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.certificates.domain.form import Form, FormNotOffered, OfficeUnknown
from shared.settings import Settings

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Catalogue:
    """The forms and offices a replica works with."""

    forms: Sequence[Form]
    offices: dict[str, bool]

    @classmethod
    def load(cls) -> "Catalogue":
        """Reads the data files of this release."""
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
        """The form as it stands on a day. Raises FormNotOffered."""
        in_force = [form for form in self.forms if form.name == name and form.effective_from <= on]
        if not in_force:
            raise FormNotOffered(f"Form {name} is not offered on {on}.", "form")
        return max(in_force, key=lambda form: form.effective_from)

    def must_have_office(self, office: str) -> None:
        """Raises OfficeUnknown, naming the offices there are."""
        if office not in self.offices:
            raise OfficeUnknown(f"The issuing offices are {', '.join(sorted(self.offices))}.", "consignment.office")

    def is_headquarters(self, office: str) -> bool:
        """Whether the officers of this office act for all."""
        return self.offices.get(office, False)


def tools(settings: Settings) -> Iterable[object]:
    """What the handlers of certificates use."""
    yield Catalogue.load()
