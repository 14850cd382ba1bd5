"""Registrations: applications, decisions, renewals, suspensions, and their events."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.registry.companies import documents
from services.registry.companies.domain.life_cycle import ALLOWED, Act, Asked, Status
from services.registry.companies.domain.particulars import Particulars
from services.registry.handlers import router
from shared.contracts.registry import particulars as contracts
from shared.contracts.registry.particulars import DocumentKind, GetRegistrationFile, PutRegistrationFile
from shared.contracts.registry.registration_history import GetRegistrationHistory
from shared.contracts.registry.registrations import (
    ApplyForRegistration,
    ApproveRegistration,
    AttachRegistrationDocument,
    CorrectRegistration,
    GetRegistration,
    HandInRegistration,
    RefuseRegistration,
    RegistrationApproved,
    RegistrationExpired,
    RegistrationReinstated,
    RegistrationState,
    RegistrationStatus,
    RegistrationStatusChanged,
    RegistrationSuspended,
    ReinstateRegistration,
    RenewalStatus,
    RenewRegistration,
    ReturnRegistration,
    SuspendRegistration,
)
from shared.refusals import Refused
from tests.registry.builders import (
    FILES,
    OFFICER,
    REFERENCE_DATA,
    REQUIREMENTS,
    TODAY,
    a_pdf,
    a_registration,
    an_application,
    apply_with_documents,
    attach,
    do,
    registered,
    upload,
)
from tests.support.service_under_test import ServiceUnderTest, a_person

KHMER = "ក្រុមហ៊ុន អង្គរ"
UNBORN = {"name": "A", "position": "B", "born_on": "2026-11-24"}
LINES = ("company_name", "company_name_km", "address", "address_km", "phone", "administrator_name", "contact_email")


def the_company(exporter_id: Any) -> Any:
    return a_person("company_administrator", "signatory", organisation=exporter_id)


def test_the_contract_knows_every_status_and_what_is_asked() -> None:
    assert {status.value for status in Status} == {status.value for status in RegistrationStatus}
    assert {asked.value for asked in Asked} - {"nothing"} == {status.value for status in RenewalStatus}
    assert set(contracts.Particulars.model_fields) == set(Particulars.__dataclass_fields__)


@pytest.mark.parametrize(("status", "asked"), ALLOWED, ids="-".join)
@pytest.mark.parametrize("act", [act for act in Act if act not in (Act.APPLY, Act.IMPORT)])
def test_a_registration_allows_the_acts_of_the_table_and_no_others(status: Status, asked: Asked, act: Act) -> None:
    registration = a_registration(status, asked)
    version = registration.version
    if act in ALLOWED[status, asked]:
        do(registration, act)
        assert (registration.status, registration.asked) in ALLOWED
        assert registration.version == version + 1
    else:
        with pytest.raises(Refused):
            do(registration, act)
        assert (registration.status, registration.asked, registration.version) == (status, asked, version)


@pytest.mark.parametrize(
    ("approved", "until"),
    [
        (date(2026, 11, 23), date(2027, 11, 23)),
        (date(2026, 12, 31), date(2027, 12, 31)),
        (date(2028, 2, 29), date(2029, 2, 28)),
        (date(2027, 2, 28), date(2028, 2, 28)),
    ],
)
def test_a_registration_lasts_until_the_same_day_of_the_next_year_inclusive(approved: date, until: date) -> None:
    registration = a_registration(Status.ACTIVE, on=approved)
    assert registration.validity == (approved, until)
    assert not registration.is_over(until)
    assert registration.is_over(until + timedelta(days=1))


@pytest.mark.parametrize(
    ("first", "renewed_on", "validity"),
    [
        (date(2026, 11, 23), date(2027, 10, 1), (date(2026, 11, 23), date(2028, 11, 23))),  # early: no day is lost
        (date(2026, 11, 23), date(2027, 11, 23), (date(2026, 11, 23), date(2028, 11, 23))),  # on the last day
        (date(2026, 11, 23), date(2027, 11, 24), (date(2027, 11, 24), date(2028, 11, 24))),  # late: from that day on
        (date(2028, 2, 29), date(2029, 2, 1), (date(2028, 2, 29), date(2030, 2, 28))),
        (date(2026, 12, 31), date(2027, 12, 31), (date(2026, 12, 31), date(2028, 12, 31))),
    ],
)
def test_another_year_starts_where_the_old_one_ends(first: date, renewed_on: date, validity: tuple[date, date]) -> None:
    registration = a_registration(Status.ACTIVE, Asked.APPLIED, on=first)
    registration.approve(renewed_on, REQUIREMENTS)
    assert registration.validity == validity
    assert (registration.status, registration.asked) == (Status.ACTIVE, Asked.NOTHING)


def test_another_year_can_be_asked_for_from_sixty_days_before_the_end() -> None:
    registration = a_registration(Status.ACTIVE)
    first = registration.renewable_from(REQUIREMENTS)
    assert first == date(2027, 9, 24)
    with pytest.raises(Refused, match=r"registration_not_renewable_yet: .* from 2027-09-24 on"):
        registration.renew(first - timedelta(days=1), None, REQUIREMENTS)
    registration.renew(first, None, REQUIREMENTS)
    assert registration.asked is Asked.APPLIED


def test_what_is_handed_in_for_another_year_counts_once_it_is_approved_and_not_where_it_is_refused() -> None:
    for act, name in ((Act.APPROVE, "Angkor Garment & Sons Ltd."), (Act.REFUSE, "Angkor Garment Co., Ltd.")):
        registration = a_registration(Status.ACTIVE, Asked.APPLIED)
        do(registration, Act.CORRECT)
        do(registration, Act.ATTACH)
        assert registration.particulars.company_name == "Angkor Garment Co., Ltd."
        do(registration, act)
        assert registration.particulars.company_name == name
        assert ("gsp_mfn_certificate" in registration.documents) is (act is Act.APPROVE)


async def test_a_registration_lasts_a_year_and_certificates_hear_of_it(service: ServiceUnderTest) -> None:
    application = await apply_with_documents(service)
    service.clock.instant = datetime(2028, 2, 28, 17, 30, tzinfo=UTC)  # the 29th in Phnom Penh

    state = await service.ask(ApproveRegistration(exporter_id=application.exporter_id), OFFICER)

    (event,) = await service.announced(RegistrationApproved)
    assert (state.status, state.valid_from, state.valid_until) == ("active", date(2028, 2, 29), date(2029, 2, 28))
    assert (event.name, event.valid_until) == (application.company_name, date(2029, 2, 28))
    assert event.address == "National Road 4, No. 12, Khan Pur SenChey, Phnom Penh"
    assert not {application.email, application.tax_number, "Chan Dara"} & set(event.model_dump_json().split('"'))


@pytest.mark.parametrize("missing", [kind for kind in DocumentKind if kind != "gsp_mfn_certificate"])
async def test_without_its_documents_a_registration_is_not_approved(service: ServiceUnderTest, missing: DocumentKind) -> None:
    """One of them is the letter that authorises the signatory."""
    application = await apply_with_documents(service, without=missing)
    refused = await service.ask(ApproveRegistration(exporter_id=application.exporter_id), OFFICER)
    assert (refused.code, refused.fields) == ("registration_documents_missing", ("documents",))
    assert missing.replace("_", " ") in refused.detail


async def test_without_what_must_be_known_a_registration_is_not_approved(service: ServiceUnderTest) -> None:
    application = await apply_with_documents(service, phone=None, representative=None)
    refused = await service.ask(ApproveRegistration(exporter_id=application.exporter_id), OFFICER)
    assert (refused.code, refused.fields) == ("registration_particulars_missing", ("phone", "representative"))
    state = await service.ask(GetRegistration(exporter_id=application.exporter_id), OFFICER)
    assert state.lacks == ("phone", "representative")


async def test_an_officer_approves_only_the_version_that_was_seen(service: ServiceUnderTest) -> None:
    application = await apply_with_documents(service)
    seen = await service.ask(GetRegistration(exporter_id=application.exporter_id), OFFICER)
    await attach(service, application.exporter_id, "certificate_of_incorporation", a_pdf("another"))

    approve = ApproveRegistration(exporter_id=application.exporter_id, version=seen.version)
    assert (await service.ask(approve, OFFICER)).code == "registration_changed_meanwhile"


async def test_what_was_returned_is_corrected_and_handed_in_again(service: ServiceUnderTest) -> None:
    application = await apply_with_documents(service)
    exporter_id, company = application.exporter_id, the_company(application.exporter_id)
    returned = await service.ask(ReturnRegistration(exporter_id=exporter_id, remarks="The name differs."), OFFICER)
    assert (returned.status, returned.reason) == ("returned", "The name differs.")
    assert (await service.ask(ApproveRegistration(exporter_id=exporter_id), OFFICER)).code == "registration_already_decided"

    announced = returned.particulars.model_copy(update={"company_name": "Angkor Garments Ltd."})
    await service.ask(CorrectRegistration(exporter_id=exporter_id, particulars=announced, tax_number="K999-999999"), company)
    await service.ask(HandInRegistration(exporter_id=exporter_id), company)
    state = await service.ask(ApproveRegistration(exporter_id=exporter_id), OFFICER)

    assert (state.company_name, state.tax_number, state.status) == ("Angkor Garments Ltd.", "K999-999999", "active")


async def test_a_refusal_gives_its_reason_to_the_applicant_who_may_hand_in_again(service: ServiceUnderTest) -> None:
    application = await apply_with_documents(service)
    exporter_id, company = application.exporter_id, the_company(application.exporter_id)
    await service.ask(RefuseRegistration(exporter_id=exporter_id, reason="The certificate has expired."), OFFICER)

    state = await service.ask(GetRegistration(exporter_id=exporter_id), company)
    assert (state.status, state.reason) == ("refused", "The certificate has expired.")
    assert (await service.ask(ApproveRegistration(exporter_id=exporter_id), OFFICER)).code == "registration_already_decided"
    assert (await service.ask(HandInRegistration(exporter_id=exporter_id), company)).status == "applied"


async def test_a_refused_application_leaves_its_tax_number_to_others(service: ServiceUnderTest) -> None:
    squatter = await apply_with_documents(service)
    company = the_company(squatter.exporter_id)
    await service.ask(RefuseRegistration(exporter_id=squatter.exporter_id, reason="Not your number."), OFFICER)
    owner = an_application(tax_number=squatter.tax_number)
    assert (await service.ask(owner)).status == "applied"

    again = await service.ask(HandInRegistration(exporter_id=squatter.exporter_id), company)
    assert (again.code, again.fields) == ("tax_number_taken", ("tax_number",))
    announced = (await service.ask(GetRegistration(exporter_id=squatter.exporter_id), company)).particulars
    correct = CorrectRegistration(exporter_id=squatter.exporter_id, particulars=announced, tax_number="K998-999999")
    await service.ask(correct, company)
    assert (await service.ask(HandInRegistration(exporter_id=squatter.exporter_id), company)).status == "applied"


async def test_an_applicant_has_little_room_for_files(service: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "ROOM", 10_000_000)
    application = an_application()
    await service.ask(application)
    for letter in b"ab":
        await upload(service, application.exporter_id, bytes([letter]) * 4_000_000)
    third = PutRegistrationFile(
        owner_id=application.exporter_id, sha256="0" * 64, size=4_000_000, media_type="application/pdf", chunk=b"c", offset=0
    )
    refused = await service.ask(third, the_company(application.exporter_id))
    assert (refused.code, refused.fields) == ("no_room_for_files", ("size",))


async def test_a_registered_company_keeps_its_tax_number(service: ServiceUnderTest) -> None:
    application = await registered(service)
    service.clock.instant += timedelta(days=330)
    company = the_company(application.exporter_id)
    state = await service.ask(RenewRegistration(exporter_id=application.exporter_id), company)
    command = CorrectRegistration(exporter_id=application.exporter_id, particulars=state.particulars, tax_number="K999-999999")
    refused = await service.ask(command, company)
    assert (refused.code, refused.fields) == ("tax_number_fixed", ("tax_number",))


async def test_suspension_and_reinstatement_are_announced_with_rising_versions(service: ServiceUnderTest) -> None:
    application = await registered(service)
    exporter_id = application.exporter_id
    state = await service.ask(SuspendRegistration(exporter_id=exporter_id, reason="Closed."), OFFICER)
    assert (state.status, state.reason) == ("suspended", "Closed.")
    state = await service.ask(ReinstateRegistration(exporter_id=exporter_id, reason="Opened."), OFFICER)
    assert (state.status, state.reason, state.valid_until) == ("active", None, date(2027, 11, 23))

    announced = await service.announced()
    announced = [event for event in announced if getattr(event, "exporter_id", None) == exporter_id]
    statuses = [event.version for event in announced if isinstance(event, RegistrationStatusChanged)]
    assert statuses == list(range(1, state.version + 1))
    announced = [event for event in announced if not isinstance(event, RegistrationStatusChanged)]
    assert [type(event) for event in announced] == [RegistrationApproved, RegistrationSuspended, RegistrationReinstated]
    assert [event.version for event in announced] == sorted({event.version for event in announced})


async def test_what_is_announced_again_is_how_it_stands_with_the_versions_of_before(service: ServiceUnderTest) -> None:
    application = await registered(service)
    await service.ask(SuspendRegistration(exporter_id=application.exporter_id, reason="Closed."), OFFICER)
    before = await service.announced(RegistrationApproved) + await service.announced(RegistrationSuspended)
    _, announce = router.reannouncing["registration"]
    async with service.work() as work:
        await announce(application.exporter_id, work)

    again = (await service.announced())[-2:]
    assert [(type(e), e.version, e.exporter_id) for e in again] == [(type(e), e.version, e.exporter_id) for e in before]


async def test_the_history_shows_each_act_with_actor_and_reason_page_by_page(service: ServiceUnderTest) -> None:
    application = await registered(service)
    exporter_id = application.exporter_id
    await service.ask(SuspendRegistration(exporter_id=exporter_id, reason=KHMER), OFFICER)

    acts: list[Any] = []
    before = None
    while True:
        question = GetRegistrationHistory(exporter_id=exporter_id, before=before, limit=3)
        page = await service.ask(question, the_company(exporter_id))
        acts += page.acts
        if (before := page.go_on_before) is None:
            break

    assert [act.act for act in acts] == ["suspend", "approve", *["attach"] * 4, "apply"]
    assert [act.version for act in acts] == list(range(7, 0, -1))
    assert (acts[0].user_id, acts[0].organisation, acts[0].remarks) == (OFFICER.user_id, "PNH", KHMER)
    assert (acts[1].valid_from, acts[1].valid_until) == (TODAY, date(2027, 11, 23))
    assert {act.document for act in acts if act.act == "attach"} == set(FILES)
    assert (await service.ask(question, a_person("preparer", organisation=uuid4()))).code == "not_yours"


@pytest.mark.parametrize("email", ["a<b@c.example", "sok,dara@c.example", "a@[1", "(a@b.example", '"a"@b.example', "a@b@c"])
async def test_an_email_address_that_is_easily_mistaken_is_refused(service: ServiceUnderTest, email: str) -> None:
    body = json.loads(an_application().model_dump_json()) | {"email": email}
    refused = await service.ask_raw(ApplyForRegistration, json.dumps(body).encode(), None)
    assert (refused.code, refused.fields) == ("malformed_request", ("email",))


async def test_an_application_sent_twice_at_once_is_one(service: ServiceUnderTest) -> None:
    application = an_application()
    one, other = await asyncio.gather(*(service.ask(application.model_copy(update={"command_id": uuid4()})) for _ in range(2)))
    assert one == other
    assert one.status == "applied"


async def test_an_application_sent_twice_is_one(service: ServiceUnderTest) -> None:
    application = an_application()
    first = await service.ask(application)
    assert await service.ask(application) == first
    assert isinstance(first, RegistrationState)


@pytest.mark.parametrize("field", ["tax_number", "email"])
async def test_what_is_taken_is_refused_with_its_field(service: ServiceUnderTest, field: str) -> None:
    first = an_application()
    await service.ask(first)
    refused = await service.ask(an_application(**{field: getattr(first, field)}))
    assert (refused.code, refused.fields) == (f"{field}_taken", (field,))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"company_name": KHMER}, "latin_letters_needed", "company_name"),
        ({"address": KHMER}, "latin_letters_needed", "address"),
        ({"district": "9901"}, "district_unknown", "district"),
        ({"district": "១២០៩"}, "malformed_request", "district"),
        ({"phone": KHMER}, "malformed_request", "phone"),
        ({"tax_number": KHMER}, "malformed_request", "tax_number"),
        (
            {"representative": UNBORN},
            "birthday_in_future",
            "representative.born_on",
        ),
        ({"representative": {"name": "A"}}, "malformed_request", "representative.position"),
        ({"contact_email": "nobody"}, "malformed_request", "contact_email"),
        *(
            ({field: "x" * 10_000}, "malformed_request", field)
            for field in ("company_name", "company_name_km", "address", "phone")
        ),
        ({"representative": {"name": "x" * 10_000, "position": "B"}}, "malformed_request", "representative.name"),
    ],
)
async def test_bad_input_is_refused_with_its_field(
    service: ServiceUnderTest, changes: dict[str, Any], code: str, field: str
) -> None:
    body = json.loads(an_application().model_dump_json()) | changes
    refused = await service.ask_raw(ApplyForRegistration, json.dumps(body).encode(), None)
    assert (refused.code, refused.fields) == (code, (field,))


async def test_khmer_is_kept_and_shown_back_exactly(service: ServiceUnderTest) -> None:
    person = {"name": KHMER, "name_km": KHMER, "position": KHMER, "born_on": None}
    application = an_application(company_name_km=KHMER, address_km=KHMER, representative=person, administrator_name=KHMER)
    await service.ask(application)
    shown = (await service.ask(GetRegistration(exporter_id=application.exporter_id), OFFICER)).particulars
    assert (shown.company_name_km, shown.address_km) == (KHMER, KHMER)
    assert shown.representative.model_dump() == person
    assert shown.contact_email == application.email


async def test_only_the_owner_and_officers_read_a_document_byte_for_byte(service: ServiceUnderTest) -> None:
    application = an_application()
    await service.ask(application)
    digest = await upload(service, application.exporter_id, a_pdf())
    question = GetRegistrationFile(owner_id=application.exporter_id, sha256=digest)

    assert (await service.ask(question, OFFICER)).chunk == a_pdf()
    assert (await service.ask(question, a_person(organisation=application.exporter_id))).chunk == a_pdf()
    assert (await service.ask(question, a_person("preparer", organisation=uuid4()))).code == "not_yours"


async def test_a_document_that_has_not_arrived_cannot_be_attached(service: ServiceUnderTest) -> None:
    application = an_application()
    await service.ask(application)
    command = AttachRegistrationDocument(
        exporter_id=application.exporter_id, kind="certificate_of_incorporation", sha256="0" * 64
    )
    refused = await service.ask(command, a_person(organisation=application.exporter_id))
    assert refused.code == "file_not_found"


async def test_a_document_attached_twice_is_one_act(service: ServiceUnderTest) -> None:
    application = an_application()
    await service.ask(application)
    first = await attach(service, application.exporter_id, "identity_document", a_pdf())
    assert await attach(service, application.exporter_id, "identity_document", a_pdf()) == first


COMMANDS: list[tuple[Any, str]] = [
    (CorrectRegistration(exporter_id=uuid4(), particulars={"company_name": "A", "address": "B"}), "company"),
    (HandInRegistration(exporter_id=uuid4()), "company"),
    (RenewRegistration(exporter_id=uuid4()), "company"),
    (ApproveRegistration(exporter_id=uuid4()), "officer"),
    (ReturnRegistration(exporter_id=uuid4(), remarks="x"), "officer"),
    (RefuseRegistration(exporter_id=uuid4(), reason="x"), "officer"),
    (SuspendRegistration(exporter_id=uuid4(), reason="x"), "officer"),
    (ReinstateRegistration(exporter_id=uuid4(), reason="x"), "officer"),
]


@pytest.mark.parametrize(("command", "who"), COMMANDS, ids=lambda value: type(value).__name__)
async def test_an_act_needs_its_role_and_its_company(service: ServiceUnderTest, command: Any, who: str) -> None:
    if who == "officer":
        for role in ("reviewer", "approver", "administrator", "auditor", "signatory"):
            assert (await service.ask(command, a_person(role))).code == "role_required"
        assert (await service.ask(command, OFFICER)).code == "registration_not_found"
    else:
        own = command.exporter_id
        assert (await service.ask(command, a_person("preparer", organisation=own))).code == "role_required"
        assert (await service.ask(command, a_person("signatory", organisation=uuid4()))).code == "not_yours"
        assert (await service.ask(command, a_person("signatory", organisation=own))).code == "registration_not_found"


def test_the_list_of_places_is_complete() -> None:
    assert len(REFERENCE_DATA.districts) == 210
    assert len({district.province_en for district in REFERENCE_DATA.districts.values()}) == 25
    assert all(code[:2].isdigit() and len(code) == 4 for code in REFERENCE_DATA.districts)
    assert all(0x1780 <= ord(district.name_km[0]) <= 0x17FF for district in REFERENCE_DATA.districts.values())
    assert {district.kind for district in REFERENCE_DATA.districts.values()} == {"Srok", "Krong", "Khan"}
    assert all(district.name_en.isascii() for district in REFERENCE_DATA.districts.values())


async def test_what_was_announced_is_heeded_by_a_registry_that_came_back_from_an_older_copy(service: ServiceUnderTest) -> None:
    application = await apply_with_documents(service)
    announced = {"exporter_id": application.exporter_id, "occurred_at": service.clock.now()}
    year = {"name": application.company_name, "address": "x", "valid_from": TODAY, "valid_until": date(2027, 11, 23)}
    events = [
        RegistrationSuspended(**announced, version=9),
        RegistrationApproved(**announced, **year, version=8),
    ]
    async with service.work() as work:
        for event in events:
            await router.replay[type(event)](event, work)

    state = await service.ask(GetRegistration(exporter_id=application.exporter_id), OFFICER)
    assert (state.status, state.version, state.valid_until) == ("suspended", 9, date(2027, 11, 23))

    service.clock.instant = datetime(2027, 11, 23, 17, 0, tzinfo=UTC)
    await service.do_tasks()
    (expired,) = await service.announced(RegistrationExpired)
    assert expired.version == 10
