"""The rules of the pre-export examination of products. They are dated data."""

from dataclasses import dataclass
from datetime import date

from shared.clock import months_from
from shared.refusals import Refused


class CostsTooOld(Refused):
    code = "costs_too_old"


class CostsInFuture(Refused):
    code = "costs_in_future"


@dataclass(frozen=True, kw_only=True)
class ExaminationRules:
    """How long an approval is valid, how old cost data may be, both in months, and whether a renewal can be by rule."""

    effective_from: date
    valid_months: int
    cost_data_months: int
    renewal_by_rule: bool

    def valid_until(self, on: date) -> date:
        """The last day of an approval that is given on a day."""
        return date.fromordinal(months_from(on, self.valid_months).toordinal() - 1)

    def must_be_recent(self, costed_on: date, on: date, field: str) -> None:
        """Refuses cost data that are too old, and those of a future day. Raises CostsTooOld, CostsInFuture."""
        if costed_on > on:
            raise CostsInFuture(field, day=costed_on)
        oldest = months_from(on, -self.cost_data_months)
        if costed_on < oldest:
            raise CostsTooOld(field, day=costed_on, oldest=oldest, months=self.cost_data_months)
