"""Verification cases: their clocks as dated data, and their rules."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from shared.dated import effective_from, in_force
from shared.refusals import Refused

FILE = Path(__file__).parent / "data" / "verification.json"


class CaseNotFound(Refused):
    code = "verification_not_found"


class CaseAnswered(Refused):
    code = "verification_answered_already"


class CaseNotOurs(Refused):
    code = "verification_not_for_us"


@dataclass(frozen=True)
class Clock:
    """How many days an answer, and a whole case, may take."""

    effective_from: date
    answer_days: int
    close_days: int


@dataclass(frozen=True)
class VerificationClocks:
    """The clocks of the law, each from its date on."""

    rows: Sequence[Clock]

    @classmethod
    def load(cls, file: Path = FILE) -> "VerificationClocks":
        """Reads the data file."""
        rows = json.loads(file.read_text(encoding="utf-8"))
        return cls([Clock(effective_from(row), row["answer_days"], row["close_days"]) for row in rows])

    def of(self, asked_on: date) -> tuple[date, date]:
        """The last day of an answer, and that of the case. Raises NothingInForce."""
        clock = in_force(self.rows, asked_on)
        return asked_on + timedelta(days=clock.answer_days), asked_on + timedelta(days=clock.close_days)


@dataclass(eq=False)
class VerificationCase:
    """A case. `ours`: whether our customs asked."""

    case_id: UUID
    ours: bool
    partner: str
    reference: str
    number: int
    reason: str
    question: str
    asked_at: datetime
    answer_by: date
    close_by: date
    items: list[int] = field(default_factory=list)
    answered_at: datetime | None = None
    outcome: str | None = None
    text: str | None = None
    answered: bool = False

    def take_answer(self, at: datetime, outcome: str, text: str) -> bool:
        """Records the answer. Returns False if there is one already; a case is answered once."""
        if self.answered:
            return False
        self.answered_at, self.outcome, self.text, self.answered = at, outcome, text, True
        return True
