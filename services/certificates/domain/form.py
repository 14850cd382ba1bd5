"""The forms of certificate and the origin criteria that box 8 of a form can hold."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal

from shared.refusals import Refused


class DestinationNotInAgreement(Refused):
    """The form serves other members of its agreement only."""

    code = "destination_not_in_agreement"


class FormNotOffered(Refused):
    """This form is not offered."""

    code = "form_not_offered"


class OfficeUnknown(Refused):
    """There is no such issuing office."""

    code = "office_unknown"


class CriterionNotInForm(Refused):
    """The form does not know this origin criterion."""

    code = "criterion_not_in_form"


@dataclass(frozen=True)
class Criterion:
    """How goods originate; `percentage` is the regional value content reached, unrounded."""

    kind: str
    percentage: Decimal | None = None

    @property
    def box_8(self) -> str:
        """What box 8 says. A percentage is rounded down to what was reached."""
        if self.percentage is None:
            return self.kind
        return f"{self.percentage.quantize(Decimal('0.01'), ROUND_DOWN).normalize():f}%"


@dataclass(frozen=True)
class Form:
    """A form of certificate as its agreement stands from a day on."""

    name: str
    effective_from: date
    members: frozenset[str]
    criteria: frozenset[str]
    fob_shown_with_rvc_for: frozenset[str]

    def must_serve(self, origin: str, destination: str) -> None:
        """Refuses destinations outside the agreement, and the issuing country itself."""
        if destination == origin or destination not in self.members:
            served = ", ".join(sorted(self.members - {origin}))
            raise DestinationNotInAgreement(f"Form {self.name} serves {served}; not {destination}.", "consignment.destination")

    def must_know(self, criterion: Criterion, field: str) -> None:
        """Refuses a criterion that box 8 of this form does not provide for."""
        if criterion.kind not in self.criteria:
            raise CriterionNotInForm(f"Form {self.name} knows {', '.join(sorted(self.criteria))}.", field)

    def shows_fob(self, origin: str, destination: str, criterion: Criterion) -> bool:
        """Whether an item's FOB value is printed and sent (overleaf notes, box 9; notice of 1 June 2020)."""
        return criterion.kind == "RVC" and bool(self.fob_shown_with_rvc_for & {origin, destination})
