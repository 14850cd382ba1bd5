"""The time in each status is recorded by office and destination."""

from datetime import timedelta

from services.certificates.domain.life_cycle import Status
from services.certificates.domain.status_time import medians
from shared.contracts.certificates.issuing import ApproveCertificate, ReviewCertificate
from shared.contracts.certificates.times import ListStatusTimes
from tests.certificates.test_handlers import APPROVER, REVIEWER, Trader
from tests.support.service_under_test import ServiceUnderTest

HOUR = timedelta(hours=1)


def test_a_median_is_that_of_all_destinations_and_of_each() -> None:
    found = medians(Status.SUBMITTED, [("VN", 10), ("VN", 30), ("SG", 500)])
    assert [(each.destination, each.count, each.median_seconds) for each in found] == [
        (None, 3, 30),
        ("SG", 1, 500),
        ("VN", 2, 10),
    ]
    assert medians(Status.SUBMITTED, []) == []


async def test_officers_see_how_long_certificates_wait_by_status_and_destination(
    service: ServiceUnderTest, trader: Trader
) -> None:
    for destination, hours in (("VN", 1), ("VN", 5), ("SG", 9)):
        certificate_id = (await trader.submit(destination=destination)).certificate_id
        service.clock.instant += hours * HOUR
        await service.ask(ReviewCertificate(certificate_id=certificate_id, worksheet="In order."), REVIEWER)
        service.clock.instant += HOUR
        await service.ask(ApproveCertificate(certificate_id=certificate_id), APPROVER)

    found = (await service.ask(ListStatusTimes(office="PNH"), REVIEWER)).times

    seconds = {(each.status, each.destination): (each.count, each.median_seconds) for each in found}
    assert seconds["submitted", None] == (3, 5 * 3600)
    assert seconds["submitted", "SG"] == (1, 9 * 3600)
    assert seconds["submitted", "VN"] == (2, 3600)
    assert seconds["reviewed", None] == (3, 3600)
    assert seconds["draft", None] == (3, 0)
    assert {status for status, _ in seconds} == {"draft", "submitted", "reviewed"}
    assert (await service.ask(ListStatusTimes(office="SVR"), REVIEWER)).times == ()
    assert (await service.ask(ListStatusTimes(), REVIEWER)).times == found
    assert (await service.ask(ListStatusTimes(), trader.person)).code == "role_required"
