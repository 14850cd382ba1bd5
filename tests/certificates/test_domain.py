"""The rules of a certificate, from draft to issue."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.certificates.domain.boxes.transport import DepartureTooFarAhead, DepartureTooLongAgo
from services.certificates.domain.certificate import FourEyesRequired
from services.certificates.domain.exporter import ExporterNotRegistered
from services.certificates.domain.form import Criterion
from services.certificates.domain.life_cycle import ALLOWED, Act, AlreadySubmitted, NotAllowedNow, Status
from services.certificates.domain.number import reference_of
from shared.clock import a_year_from
from shared.contracts.certificates.issuing import CertificateStatus
from shared.refusals import Refused
from tests.certificates.builders import OFFICER, TODAY, a_certificate, a_form, a_sheet, an_exporter, do


def test_the_contract_knows_every_status() -> None:
    assert {status.value for status in Status} == {status.value for status in CertificateStatus}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("act", Act)
def test_every_act_is_done_or_refused_as_the_table_says(status: Status, act: Act) -> None:
    certificate = a_certificate(status)
    before = dict(vars(certificate))

    if act in ALLOWED[status]:
        do(certificate, act)
        assert certificate.version == before["version"] + 1
    else:
        with pytest.raises(NotAllowedNow):
            do(certificate, act)
        assert vars(certificate) == before


@given(st.lists(st.sampled_from(Act), max_size=12))
def test_no_series_of_acts_issues_a_certificate_without_two_officers(acts: list[Act]) -> None:
    certificate = a_certificate()
    for act in acts:
        try:
            do(certificate, act)
        except Refused:
            continue
    if certificate.status in (Status.ISSUED, Status.CANCELLED):
        assert certificate.reviewed_by is not None
        assert certificate.approved_by is not None
        assert certificate.reviewed_by != certificate.approved_by


def test_a_submitted_certificate_cannot_be_submitted_again() -> None:
    with pytest.raises(AlreadySubmitted):
        do(a_certificate(Status.SUBMITTED), "submit")


def test_the_reviewer_cannot_approve() -> None:
    certificate = a_certificate(Status.REVIEWED)
    with pytest.raises(FourEyesRequired):
        certificate.approve(OFFICER)
    assert certificate.status is Status.REVIEWED


def test_a_returned_certificate_submitted_again_is_reviewed_again() -> None:
    certificate = a_certificate(Status.REVIEWED)
    certificate.return_for_correction("Box 7: name the manufacturer.")
    do(certificate, "revise")
    do(certificate, "submit")

    assert (certificate.submission, certificate.reviewed_by, certificate.remarks) == (2, None, None)


@pytest.mark.parametrize(("day", "allowed"), [(date(2027, 1, 1), True), (date(2027, 1, 2), False), (date(2025, 12, 31), False)])
def test_only_an_active_exporter_submits_and_the_last_day_counts(day: date, allowed: bool) -> None:
    certificate = a_certificate(departure_date=date(2026, 12, 1))
    if allowed:
        do(certificate, "submit", day)
        assert certificate.status is Status.SUBMITTED
    else:
        with pytest.raises(ExporterNotRegistered):
            do(certificate, "submit", day)


def test_an_unknown_exporter_cannot_submit() -> None:
    with pytest.raises(ExporterNotRegistered):
        a_certificate().submit(TODAY, a_sheet(exporter=None))


@pytest.mark.parametrize(("days", "retroactive"), [(-1, True), (0, False), (1, False)])
def test_after_departure_a_certificate_is_issued_retroactively(days: int, retroactive: bool) -> None:
    certificate = a_certificate(Status.APPROVED, departure_date=TODAY + timedelta(days=days))
    certificate.issue("D2026-PNH-000001", TODAY, a_form())
    assert certificate.issued_retroactively is retroactive


@pytest.mark.parametrize(("departure", "issuable"), [(date(2025, 11, 23), True), (date(2025, 11, 22), False)])
def test_no_certificate_is_issued_more_than_a_year_after_departure(departure: date, issuable: bool) -> None:
    certificate = a_certificate(Status.APPROVED)
    certificate.consignment = a_certificate(departure_date=departure).consignment
    if issuable:
        certificate.must_be_issuable(TODAY, an_exporter(), a_form())
    else:
        with pytest.raises(DepartureTooLongAgo):
            certificate.must_be_issuable(TODAY, an_exporter(), a_form())


@pytest.mark.parametrize("departure", [a_year_from(TODAY) + timedelta(days=1), date(9999, 12, 31)])
def test_no_certificate_is_submitted_more_than_a_year_before_departure(departure: date) -> None:
    with pytest.raises(DepartureTooFarAhead):
        do(a_certificate(departure_date=departure), "submit")


def test_a_certificate_is_valid_for_twelve_months_also_from_a_leap_day() -> None:
    certificate = a_certificate(Status.APPROVED)
    certificate.issue("D2028-PNH-000001", date(2028, 2, 29), a_form())
    assert certificate.valid_until == date(2029, 2, 28)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_year_from_a_day_is_never_more_than_366_days_away(day: date) -> None:
    assert timedelta(days=365) <= a_year_from(day) - day <= timedelta(days=366)


@pytest.mark.parametrize(
    ("status", "settled", "waits_for"),
    [
        (Status.DRAFT, False, ("submission",)),
        (Status.SUBMITTED, False, ("review", "approval", "payment")),
        (Status.SUBMITTED, True, ("review", "approval")),
        (Status.RETURNED, True, ("correction",)),
        (Status.APPROVED, False, ("payment",)),
        (Status.ISSUED, True, ()),
        (Status.REJECTED, False, ()),
    ],
)
def test_a_certificate_says_what_it_waits_for(status: Status, settled: bool, waits_for: tuple[str, ...]) -> None:
    assert a_certificate(status).waits_for(settled=settled) == waits_for


def test_a_held_certificate_says_why() -> None:
    certificate = a_certificate(Status.APPROVED)
    certificate.hold("exporter_not_registered")
    assert certificate.waits_for(settled=True) == ("exporter_not_registered",)


@pytest.mark.parametrize(
    ("origin", "destination", "criterion", "shown"),
    [
        ("KH", "VN", Criterion("RVC", Decimal("45")), True),
        ("VN", "SG", Criterion("RVC", Decimal("45")), False),
        ("VN", "ID", Criterion("RVC", Decimal("45")), True),
        ("KH", "SG", Criterion("SP"), False),
        ("KH", "MY", Criterion("WO"), False),
    ],
)
def test_fob_is_shown_only_with_rvc_and_only_for_three_members(
    origin: str, destination: str, criterion: Criterion, shown: bool
) -> None:
    assert a_form().shows_fob(origin, destination, criterion) is shown


@pytest.mark.parametrize(
    ("criterion", "text"),
    [
        (Criterion("RVC", Decimal("45")), "45%"),
        (Criterion("RVC", Decimal("41.5")), "41.5%"),
        (Criterion("RVC", Decimal("40.999")), "40.99%"),
        (Criterion("RVC", Decimal("100")), "100%"),
        (Criterion("CTSH"), "CTSH"),
    ],
)
def test_box_8_shows_a_percentage_rounded_down(criterion: Criterion, text: str) -> None:
    assert criterion.box_8 == text


def test_a_number_tells_form_year_office_and_serial() -> None:
    assert reference_of("D", 2026, "PNH", 123) == "D2026-PNH-000123"
