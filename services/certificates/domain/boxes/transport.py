"""Box 3: means of transport and route; box 13: whether the certificate is issued retroactively."""

import re
from collections.abc import Iterator
from datetime import date

from services.certificates.domain.boxes.check import Level, check, refusal_of
from services.certificates.domain.boxes.sheet import Sheet
from services.certificates.domain.form import Form
from shared.clock import a_year_from
from shared.refusals import Refused

DEPARTURE = "consignment.transport.departure_date"
MODE = re.compile(r"\s*by\s+(sea|truck|road|air|rail|train|ship|vessel|land)\b", re.IGNORECASE)


class DepartureTooLongAgo(Refused):
    code = "departure_too_long_ago"


class DepartureTooFarAhead(Refused):
    code = "departure_too_far_ahead"


class TransportWithMode(Refused):
    code = "transport_with_mode"


class DepartedAlready(Refused):
    code = "departed_already"


def must_not_have_left_too_long_ago(departure: date, on: date, form: Form) -> None:
    """Refuses goods that left longer ago than the form permits. Raises DepartureTooLongAgo."""
    if departure < on and on > form.last_day_to_issue(departure):
        raise DepartureTooLongAgo(DEPARTURE, form=form.name, months=form.retroactive_months)


@check(box=3, source="ATIGA Annex 8, Rule 10")
def departure_is_within_a_year(sheet: Sheet) -> Iterator[Refused]:
    """No certificate is issued later after the departure than the form permits: for Form D, a year."""
    if sheet.content.departure_date is not None:
        yield from refusal_of(must_not_have_left_too_long_ago, sheet.content.departure_date, sheet.on, sheet.form)


@check(box=3, source="ATIGA Annex 8, Rule 10 (ours: a year ahead)")
def departure_is_not_far_ahead(sheet: Sheet) -> Iterator[Refused]:
    """The goods leave at most a year after the submission."""
    if sheet.content.departure_date is not None and sheet.content.departure_date > a_year_from(sheet.on):
        yield DepartureTooFarAhead(DEPARTURE)


@check(box=3, source="Cambodian notice for Form D, 1 June 2020")
def vessel_has_no_mode(sheet: Sheet) -> Iterator[Refused]:
    """Box 3 names the vessel, aircraft or vehicle, without BY SEA, BY TRUCK or BY AIR."""
    if match := MODE.match(sheet.content.vessel or ""):
        yield TransportWithMode("consignment.transport.vessel", mode=match[0].strip().upper())


@check(box=13, source="ATIGA Annex 8, Rule 10; overleaf notes", level=Level.NOTE)
def departure_is_ahead(sheet: Sheet) -> Iterator[Refused]:
    """After the departure the certificate is issued retroactively, and box 13 says so."""
    departure = sheet.content.departure_date
    if departure is not None and departure < sheet.on <= sheet.form.last_day_to_issue(departure):
        yield DepartedAlready(DEPARTURE)


CHECKS = (departure_is_within_a_year, departure_is_not_far_ahead, vessel_has_no_mode, departure_is_ahead)
