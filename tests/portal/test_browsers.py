"""The session of a browser while its person acts for another company, and small parts of pages. No database is needed."""

import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from lxml import html

from services.portal.browsers import Browser, Person, _renewed
from services.portal.forms import Form, FormInvalid, part_of
from services.portal.pages.applying import STEPS, Application
from services.portal.pages.second_factor import qr_of
from shared.contracts.registry.identity import Session
from shared.contracts.registry.mandates import ActingToken
from shared.contracts.registry.registrations import ApplyForRegistration
from shared.contracts.roles import Role
from shared.web.languages import Language
from tests.support.service_under_test import PHNOM_PENH
from tests.support.texts import ROOT

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ENGLISH = Language("en", [], PHNOM_PENH)
AGENT, EXPORTER, MANDATE = uuid4(), uuid4(), uuid4()


def a_browser(**sealed: object) -> Browser:
    person = Person(
        user_id=uuid4(), session_id=uuid4(), organisation=str(AGENT), roles=(Role.COMPANY_ADMINISTRATOR, Role.SIGNATORY)
    )
    return Browser(cookie="c", person=person, sealed={"token": "own", **sealed}, expires_at=NOW, until=NOW)


def a_token(mandate_id: UUID = MANDATE) -> ActingToken:
    return ActingToken(mandate_id=mandate_id, exporter_id=EXPORTER, roles=(Role.SIGNATORY,), token="theirs", expires_at=NOW)


def a_session(*roles: Role) -> Session:
    return Session(
        session_id=uuid4(),
        user_id=uuid4(),
        organisation=str(AGENT),
        roles=roles,
        token="next",
        expires_at=NOW,
        refresh_token="r",
    )


def test_a_person_acts_for_an_exporter_and_becomes_themself_again() -> None:
    own = a_browser(recovery_codes=["x"])

    acting = own.acting_under(a_token(), "Kampot Pepper Co., Ltd.")

    assert acting.person is not None
    assert acting.person.organisation == str(EXPORTER)
    assert acting.person.roles == (Role.SIGNATORY,)
    assert acting.person.acting_for == "Kampot Pepper Co., Ltd."
    assert acting.sealed["acting_token"] == "theirs"
    assert acting.as_oneself() == own


def test_a_person_who_chooses_another_exporter_keeps_their_own_company() -> None:
    acting = a_browser().acting_under(a_token(), "One").acting_under(a_token(uuid4()), "Two")

    assert acting.person is not None
    assert acting.person.acting_for == "Two"
    own = acting.as_oneself().person
    assert own is not None
    assert own.organisation == str(AGENT)


def test_the_next_token_of_a_mandate_comes_with_the_next_token_of_the_session() -> None:
    renewed = _renewed(a_browser().acting_under(a_token(), "One"), a_session(Role.PREPARER), a_token())

    assert renewed.sealed["token"] == "next"
    assert renewed.sealed["acting_token"] == "theirs"
    own = renewed.as_oneself().person
    assert own is not None
    assert own.roles == (Role.PREPARER,)


def test_a_session_whose_mandate_is_over_goes_on_for_the_own_company() -> None:
    renewed = _renewed(a_browser().acting_under(a_token(), "One"), a_session(Role.PREPARER), None)

    assert renewed.person is not None
    assert (renewed.person.organisation, renewed.person.mandate_id) == (str(AGENT), None)
    assert "acting_token" not in renewed.sealed


def test_a_step_has_the_bounds_of_the_contract_and_no_others() -> None:
    form = Form(ENGLISH)
    form.restore({"company_name": ["x" * 201], "tax_number": ["k-1"], "email": ["not of this step"]})

    with pytest.raises(FormInvalid):
        form.build(part_of(ApplyForRegistration, *STEPS["company"]))

    assert {field for field, _ in form.errors} == {"company_name", "tax_number"}


def test_each_field_with_an_error_gives_its_label_to_the_summary() -> None:
    for template in (ROOT / "services" / "portal" / "templates").rglob("*.html"):
        text = template.read_text()
        for name in set(re.findall(r"form\.error\(([^)]+)\)", text)):
            assert f"labels.setdefault({name}, " in text or f"(form, {name}, " in text, (template, name)


def test_every_field_of_an_application_is_asked_in_one_step_or_known_to_the_page() -> None:
    asked = {name for names in STEPS.values() for name in names}

    assert set(ApplyForRegistration.model_fields) - asked == {"exporter_id", "password", "command_id"}


def test_an_application_goes_on_with_the_first_step_that_is_not_done() -> None:
    application = Application({"exporter_id": str(uuid4()), "fields": {"company_name": ["A"], "address": ["  "]}})

    assert application.next_step() == "address"
    assert application.next_step(after="address") == "representative"


def test_a_qr_code_is_an_svg_without_inline_style() -> None:
    picture = html.fragment_fromstring(str(qr_of("otpauth://totp/CO:a@b.example?secret=JBSWY3DPEHPK3PXP&issuer=<script>")))

    assert picture.tag == "svg"
    assert not [each for each in picture.iter() if each.get("style") or each.tag in ("script", "style")]
