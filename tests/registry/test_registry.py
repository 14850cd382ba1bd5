"""Who may ask: registrations, users, sessions."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.registry.domain.registration import ALLOWED, Act, Registration, Status
from shared.contracts.registry.registrations import (
    ApplyForRegistration,
    ApproveRegistration,
    AttachRegistrationDocument,
    GetRegistration,
    GetRegistrationFile,
    PutRegistrationFile,
    RefuseRegistration,
    RegistrationApproved,
    RegistrationState,
    RegistrationStatus,
)
from shared.refusals import Refused
from tests.desk import Desk, a_person

OFFICER = a_person("registration_officer")
PASSPHRASE = "correct horse battery"
PDF = b"%PDF-1.4 certificate of incorporation"


def an_application(**changes: Any) -> ApplyForRegistration:
    defaults: dict[str, Any] = {
        "exporter_id": uuid4(),
        "company_name": "Angkor Garment Co., Ltd.",
        "address": "Phnom Penh",
        "tax_number": f"K{uuid4().int % 10**12:012}",
        "administrator_name": "ចាន់ ដារ៉ា",
        "email": f"{uuid4().hex}@company.example",
        "password": PASSPHRASE,
    }
    return ApplyForRegistration(**defaults | changes)


async def apply_with_document(desk: Desk) -> ApplyForRegistration:
    application = an_application()
    await desk.ask(application)
    person = a_person("signatory", organisation=application.exporter_id)
    digest = await upload(desk, application.exporter_id, PDF)
    await desk.ask(
        AttachRegistrationDocument(exporter_id=application.exporter_id, kind="certificate_of_incorporation", sha256=digest),
        person,
    )
    return application


async def upload(desk: Desk, owner_id: UUID, content: bytes) -> str:
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    piece = PutRegistrationFile(
        owner_id=owner_id, sha256=digest, size=len(content), media_type="application/pdf", offset=0, chunk=content
    )
    assert (await desk.ask(piece, a_person(organisation=owner_id))).complete
    return digest


def test_the_contract_knows_every_status() -> None:
    assert {status.value for status in Status} == {status.value for status in RegistrationStatus}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("act", Act)
def test_every_act_is_done_or_refused_as_the_table_says(status: Status, act: Act) -> None:
    documents = {"certificate_of_incorporation": "0" * 64}
    registration = Registration(uuid4(), "A", "B", "C", status=status, documents=documents)
    do = {
        Act.ATTACH: lambda: registration.attach("letter_of_authorisation", "0" * 64),
        Act.APPROVE: lambda: registration.approve(date(2026, 11, 23)),
        Act.REFUSE: lambda: registration.refuse("Expired."),
    }[act]
    if act in ALLOWED[status]:
        do()
        assert registration.version == 2
    else:
        with pytest.raises(Refused):
            do()
        assert (registration.status, registration.version) == (status, 1)


async def test_a_registration_lasts_a_year_and_certificates_hear_of_it(desk: Desk) -> None:
    application = await apply_with_document(desk)
    desk.clock.instant = datetime(2028, 2, 28, 17, 30, tzinfo=UTC)  # the 29th in Phnom Penh

    state = await desk.ask(ApproveRegistration(exporter_id=application.exporter_id), OFFICER)

    (event,) = await desk.announced(RegistrationApproved)
    assert (state.status, state.valid_from, state.valid_until) == ("active", date(2028, 2, 29), date(2029, 2, 28))
    assert (event.name, event.valid_until) == (application.company_name, date(2029, 2, 28))
    assert application.email not in event.model_dump_json()


async def test_without_its_documents_a_registration_is_not_approved(desk: Desk) -> None:
    application = an_application()
    await desk.ask(application)
    refused = await desk.ask(ApproveRegistration(exporter_id=application.exporter_id), OFFICER)
    assert (refused.code, refused.fields) == ("registration_documents_missing", ("documents",))


async def test_a_refusal_gives_its_reason_to_the_applicant(desk: Desk) -> None:
    application = await apply_with_document(desk)
    await desk.ask(RefuseRegistration(exporter_id=application.exporter_id, reason="The certificate has expired."), OFFICER)
    applicant = a_person(organisation=application.exporter_id)

    state = await desk.ask(GetRegistration(exporter_id=application.exporter_id), applicant)

    assert (state.status, state.reason) == ("refused", "The certificate has expired.")
    assert (await desk.ask(ApproveRegistration(exporter_id=application.exporter_id), OFFICER)).code == (
        "registration_already_decided"
    )


async def test_an_application_sent_twice_is_one(desk: Desk) -> None:
    application = an_application()
    first = await desk.ask(application)
    assert await desk.ask(application) == first
    assert isinstance(first, RegistrationState)


@pytest.mark.parametrize("field", ["tax_number", "email"])
async def test_what_is_taken_is_refused_with_its_field(desk: Desk, field: str) -> None:
    first = an_application()
    await desk.ask(first)
    refused = await desk.ask(an_application(**{field: getattr(first, field)}))
    assert (refused.code, refused.fields) == (f"{field}_taken", (field,))


async def test_a_document_comes_back_byte_for_byte_to_its_owner_and_officers_only(desk: Desk) -> None:
    application = await apply_with_document(desk)
    digest = await upload(desk, application.exporter_id, PDF)
    question = GetRegistrationFile(owner_id=application.exporter_id, sha256=digest)

    assert (await desk.ask(question, OFFICER)).chunk == PDF
    assert (await desk.ask(question, a_person(organisation=application.exporter_id))).chunk == PDF
    assert (await desk.ask(question, a_person("preparer", organisation=uuid4()))).code == "not_yours"


async def test_a_document_that_has_not_arrived_cannot_be_attached(desk: Desk) -> None:
    application = an_application()
    await desk.ask(application)
    attach = AttachRegistrationDocument(
        exporter_id=application.exporter_id, kind="certificate_of_incorporation", sha256="0" * 64
    )
    refused = await desk.ask(attach, a_person(organisation=application.exporter_id))
    assert refused.code == "file_not_found"
