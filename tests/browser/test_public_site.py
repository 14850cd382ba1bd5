"""The scripts of the public site: a page of a certificate is live, and questions are found as one types."""

from typing import Any
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.conftest import PersonOf
from tests.browser.site import LiveSite
from tests.tracking.conftest import a_step, an_issued_certificate


def test_a_new_step_appears_while_the_page_is_open(site: LiveSite, person_of: PersonOf) -> None:
    certificate_id, reference = uuid4(), f"D2026-PNH-{uuid4().int % 10**6:06}"
    receive(site, an_issued_certificate(certificate_id=certificate_id, reference=reference))
    visitor = person_of()
    visitor.open_public(f"/certificates/{reference}")
    expect(visitor.page.locator("#live")).to_be_visible()

    receive(site, a_step("AS1", 1, certificate_id=certificate_id, reference=reference))

    expect(visitor.page.locator(".timeline li")).to_have_count(1)
    expect(visitor.page.locator("#status")).to_contain_text("AS1")
    visitor.check()


def receive(site: LiveSite, event: Any) -> None:
    """Tracking hears an event."""
    site.do(site.system.services["tracking"].receive(event))


def test_questions_are_filtered_while_one_types(person_of: PersonOf) -> None:
    visitor = person_of()
    visitor.open_public("/help")
    questions = visitor.page.locator("main details:visible")
    every = questions.count()

    visitor.page.locator("#q").fill("pdf")
    expect(visitor.page.locator("#found")).not_to_be_empty()
    assert 0 < questions.count() < every
    visitor.page.locator("#q").fill("zebra")

    expect(questions).to_have_count(0)
    expect(visitor.page.locator("#found")).to_have_text(visitor.say("No question contains these words."))
