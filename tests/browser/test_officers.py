"""Reviewers and approvers: from the sign-in to the result."""

from typing import Any

from tests.browser.conftest import PersonOf
from tests.browser.makers import an_exporter, an_officer, reviewed
from tests.browser.reader import Reader
from tests.browser.site import LiveSite


def check_all(officer: Reader) -> None:
    """Ticks every check of the worksheet."""
    for each in officer.page.locator("input[name=checks]").all():
        each.check()


def test_a_reviewer_takes_a_certificate_from_the_queue_and_sends_it_to_approval(site: LiveSite, person_of: PersonOf) -> None:
    _exporter, (certificate_id,) = an_exporter(site)
    officer = person_of()
    officer.sign_in(an_officer(site, "reviewer"))
    officer.open("/queue")

    officer.follow(officer.page.locator(f"a[href*='{certificate_id}']"))
    officer.send("/take")
    check_all(officer)
    officer.send("/review", {"worksheet": "Invoice and packing list agree."})

    assert officer.say("Reviewed. An approver decides next.") in officer.text()
    officer.open("/products")
    officer.open("/certificates")


def test_a_reviewer_returns_a_certificate_with_a_remark_of_a_box(site: LiveSite, person_of: PersonOf) -> None:
    _exporter, (certificate_id,) = an_exporter(site)
    officer = person_of()
    officer.sign_in(an_officer(site, "reviewer"))
    officer.open(f"/certificates/{certificate_id}")

    officer.send("/return", {"box.7.text": "The invoice says 24,000 kg.", "box.7.item": "1"})

    assert officer.say("Returned to the exporter, with your remarks.") in officer.text()
    assert "The invoice says 24,000 kg." in officer.page.locator("#item-1").inner_text()


def test_an_approver_approves_several_certificates_with_one_confirmation(site: LiveSite, person_of: PersonOf) -> None:
    _exporter, certificates = an_exporter(site, count=3)
    reviewed(site, certificates)
    human = an_officer(site, "approver")
    approver = person_of()
    approver.sign_in(human)
    approver.open("/queue")
    for each in certificates:
        approver.page.locator(f"input[name=chosen][value^='{each}']").check()
    assert approver.say("%(count)s chosen") % {"count": 3} in approver.text()

    approver.send("/queue/approve")
    assert approver.page.locator("ol.decisions li").count() == 3
    approver.confirm(human)

    assert approver.page.locator(".notice.good").is_visible()
    assert approver.page.locator(".tag.good").count() == 3
    approver.open(f"/certificates/{certificates[0]}")
    assert approver.page.locator("h1").inner_text().startswith("D2026-PNH-")


def test_officers_review_and_the_exporter_sees_it_without_reloading(site: LiveSite, reader: Any) -> None:
    exporter, (certificate_id,) = an_exporter(site)
    trader, reviewer = reader(), reader()
    trader.sign_in(exporter)
    trader.open(f"/certificates/{certificate_id}")
    reviewer.sign_in(an_officer(site, "reviewer"))
    reviewer.open(f"/certificates/{certificate_id}")

    check_all(reviewer)
    reviewer.send("/review", {"worksheet": "Invoice and packing list agree."})

    trader.page.get_by_text("Reviewed").first.wait_for(timeout=10_000)
