"""The issuing offices: an officer acts for the own office, and officers of the headquarters for all (ours)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.handling.actor import Actor
from shared.refusals import Refused

FILE = Path(__file__).parent / "data" / "offices.json"


class OtherOffice(Refused):
    code = "other_office"


@dataclass(frozen=True)
class Offices:
    """Every office by its code, and whether it is the headquarters."""

    headquarters: Mapping[str, bool]

    @classmethod
    def load(cls, file: Path = FILE) -> "Offices":
        """Reads the data file."""
        return cls({row["code"]: row["headquarters"] for row in json.loads(file.read_text(encoding="utf-8"))})

    def must_allow(self, actor: Actor, office: str) -> None:
        """Raises OtherOffice unless the actor belongs to this office or to the headquarters."""
        if actor.organisation != office and not self.headquarters.get(actor.organisation, False):
            raise OtherOffice(office=office)
