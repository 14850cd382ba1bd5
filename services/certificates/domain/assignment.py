"""Assignments: an officer works on a certificate, so that no other officer decides on it meanwhile."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.refusals import Refused


class AssignedToAnother(Refused):
    code = "assigned_to_another"


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """An officer works on a certificate until an instant. Then the assignment expires by itself."""

    certificate_id: UUID
    officer: UUID
    until: datetime

    def must_allow(self, officer: UUID, at: datetime) -> None:
        """Refuses another officer before the assignment expires. Raises AssignedToAnother."""
        if self.officer != officer and at < self.until:
            raise AssignedToAnother("certificate_id", until=self.until)
