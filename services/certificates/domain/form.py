"""The forms of certificates: whom a form serves, and what it demands. The rules of each form are data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any

from shared.clock import months_from
from shared.refusals import Refused


class DestinationNotInAgreement(Refused):
    code = "destination_not_in_agreement"


class DestinationIsOrigin(Refused):
    code = "destination_is_origin"


class FormNotOffered(Refused):
    code = "form_not_offered"


class FormNotAvailable(Refused):
    code = "form_not_available"


class OfficeUnknown(Refused):
    code = "office_unknown"


class OriginalNotFromMember(Refused):
    code = "original_not_from_member"


class BackToBackNotInForm(Refused):
    code = "back_to_back_not_in_form"


class CriterionNotInForm(Refused):
    code = "criterion_not_in_form"


class ContentBelowThreshold(Refused):
    code = "content_below_threshold"


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
    """The rules of a form that are in force from a day on.

    `members`: the countries of the agreement; none if the form serves all countries. `thresholds`: percentages by their names,
    such as `RVC`. `required_boxes`: the boxes that may not be empty. `channel`: how documents reach customs abroad; None if
    they go on paper only. `page`: the texts of the printed page. `required`: what an item must have besides the contract.
    """

    name: str
    agreement: str
    effective_from: date
    members: frozenset[str]
    criteria: frozenset[str]
    thresholds: Mapping[str, Decimal] = field(default_factory=dict)
    fob_shown_with_rvc_for: frozenset[str] = frozenset()
    validity_months: int = 12
    retroactive_months: int = 12
    required_boxes: frozenset[int] = frozenset()
    back_to_back: bool = False
    channel: str | None = None
    page: Mapping[str, Any] = field(default_factory=dict, compare=False)
    required: frozenset[str] = frozenset()

    def must_serve(self, origin: str, destination: str) -> None:
        """Refuses a destination outside the agreement, and the issuing country."""
        if destination == origin and not self.members:
            raise DestinationIsOrigin("consignment.destination", destination=destination)
        if destination == origin or (self.members and destination not in self.members):
            served = self.members - {origin}
            raise DestinationNotInAgreement("consignment.destination", form=self.name, members=served, destination=destination)

    def must_have_member(self, country: str, field: str) -> None:
        """Refuses an original of a country outside the agreement. Raises OriginalNotFromMember."""
        if country not in self.members:
            raise OriginalNotFromMember(field, form=self.name, members=self.members, country=country)

    def must_allow_originals(self, field: str) -> None:
        """Refuses back-to-back goods if the agreement does not have them. Raises BackToBackNotInForm."""
        if not self.back_to_back:
            raise BackToBackNotInForm(field, form=self.name)

    def must_know(self, criterion: Criterion, field: str) -> None:
        """Refuses a criterion that box 8 of this form does not have, and too little regional value content."""
        if criterion.kind not in self.criteria:
            raise CriterionNotInForm(field, form=self.name, criteria=self.criteria)
        least = self.thresholds.get(criterion.kind)
        if least is not None and criterion.percentage is not None and criterion.percentage < least:
            raise ContentBelowThreshold(field, form=self.name, least=least, reached=criterion.percentage)

    def shows_fob(self, origin: str, destination: str, criterion: Criterion) -> bool:
        """Whether an item's FOB value is printed and sent (overleaf notes, box 9; notice of 1 June 2020)."""
        return criterion.kind == "RVC" and bool(self.fob_shown_with_rvc_for & {origin, destination})

    def valid_until(self, issued_on: date) -> date:
        """The last day of validity of a certificate."""
        return months_from(issued_on, self.validity_months)

    def last_day_to_issue(self, departure: date) -> date:
        """The last day on which a certificate for goods that have left can be issued."""
        return months_from(departure, self.retroactive_months)
