"""The forms of certificates and the origin criteria that box 8 of a form can hold."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal

from shared.refusals import Refused


class DestinationNotInAgreement(Refused):
    code = "destination_not_in_agreement"


class FormNotOffered(Refused):
    code = "form_not_offered"


class OfficeUnknown(Refused):
    code = "office_unknown"


class OriginalNotFromMember(Refused):
    code = "original_not_from_member"


class CriterionNotInForm(Refused):
    code = "criterion_not_in_form"


@dataclass(frozen=True)
class Criterion:
    """How goods originate. `percentage` is the regional value content reached, unrounded."""

    kind: str
    percentage: Decimal | None = None

    @property
    def box_8(self) -> str:
        """The text of box 8. A percentage is rounded down."""
        if self.percentage is None:
            return self.kind
        return f"{self.percentage.quantize(Decimal('0.01'), ROUND_DOWN).normalize():f}%"


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form of certificate, in force from a day on."""

    name: str
    effective_from: date
    members: frozenset[str]
    criteria: frozenset[str]
    fob_shown_with_rvc_for: frozenset[str]

    def must_serve(self, origin: str, destination: str) -> None:
        """Refuses a destination outside the agreement, and the issuing country."""
        if destination == origin or destination not in self.members:
            served = self.members - {origin}
            raise DestinationNotInAgreement("consignment.destination", form=self.name, members=served, destination=destination)

    def must_have_member(self, country: str, field: str) -> None:
        """Refuses an original of a country outside the agreement. Raises OriginalNotFromMember."""
        if country not in self.members:
            raise OriginalNotFromMember(field, form=self.name, members=self.members, country=country)

    def must_know(self, criterion: Criterion, field: str) -> None:
        """Refuses a criterion that box 8 of this form does not have."""
        if criterion.kind not in self.criteria:
            raise CriterionNotInForm(field, form=self.name, criteria=self.criteria)

    def shows_fob(self, origin: str, destination: str, criterion: Criterion) -> bool:
        """Whether an item's FOB value is printed and sent (overleaf notes, box 9; notice of 1 June 2020)."""
        return criterion.kind == "RVC" and bool(self.fob_shown_with_rvc_for & {origin, destination})
