"""Companies and documents with defaults, so that a test names only what matters to it."""

import hashlib
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

from pypdf import PdfWriter

from cli.demo.people import registration_documents
from services.registry.companies.domain.life_cycle import Act, Asked, Status
from services.registry.companies.domain.particulars import Particulars, Representative
from services.registry.companies.domain.registration import Registration
from services.registry.companies.reference_data import ReferenceData
from shared.contracts.registry.particulars import PutRegistrationFile
from shared.contracts.registry.registrations import ApplyForRegistration, ApproveRegistration, AttachRegistrationDocument
from tests.support.service_under_test import ServiceUnderTest, a_person

OFFICER = a_person("registration_officer")
PASSPHRASE = "correct horse battery"
TODAY = date(2026, 11, 23)
REFERENCE_DATA = ReferenceData.load()
REQUIREMENTS = REFERENCE_DATA.requirements(TODAY)
FILES = registration_documents()
DOCUMENTS = {kind.value: hashlib.sha256(content).hexdigest() for kind, (content, _) in FILES.items()}


def an_application(**changes: Any) -> ApplyForRegistration:
    """A complete application."""
    defaults: dict[str, Any] = {
        "exporter_id": uuid4(),
        "company_name": "Angkor Garment Co., Ltd.",
        "company_name_km": "ក្រុមហ៊ុន អង្គរ កាត់ដេរ",
        "address": "National Road 4, No. 12",
        "address_km": "ផ្លូវជាតិលេខ៤",
        "district": "1209",
        "phone": "+855 12 345 678",
        "tax_number": f"K{uuid4().int % 10**12:012}",
        "administrator_name": "ចាន់ ដារ៉ា",
        "representative": {"name": "Chan Dara", "name_km": "ចាន់ ដារ៉ា", "position": "Director", "born_on": "1985-02-28"},
        "email": f"{uuid4().hex}@company.example",
        "password": PASSPHRASE,
    }
    return ApplyForRegistration(**defaults | changes)


def some_particulars(**changes: Any) -> Particulars:
    """Complete particulars."""
    defaults: dict[str, Any] = {
        "company_name": "Angkor Garment Co., Ltd.",
        "company_name_km": "ក្រុមហ៊ុន អង្គរ កាត់ដេរ",
        "address": "National Road 4, No. 12",
        "district": "1209",
        "phone": "+855 12 345 678",
        "contact_email": "office@angkor-garment.example",
        "representative": Representative(name="Chan Dara", name_km=None, position="Director", born_on=date(1985, 2, 28)),
    }
    return Particulars(**defaults | changes)


def a_registration(status: Status = Status.APPLIED, asked: Asked = Asked.NOTHING, on: date = TODAY) -> Registration:
    """A registration with this status, reached by acts."""
    registration = Registration(
        exporter_id=uuid4(),
        particulars=some_particulars(),
        tax_number=f"K{uuid4().int % 10**12:012}",
        documents=dict(DOCUMENTS),
    )
    if status in (Status.ACTIVE, Status.SUSPENDED, Status.EXPIRED):
        registration.approve(on, REQUIREMENTS)
        if asked is not Asked.NOTHING:
            do(registration, Act.RENEW)
        if asked is Asked.RETURNED:
            do(registration, Act.RETURN)
    act = {
        Status.RETURNED: Act.RETURN,
        Status.REFUSED: Act.REFUSE,
        Status.SUSPENDED: Act.SUSPEND,
        Status.EXPIRED: Act.EXPIRE,
    }.get(status)
    if act:
        do(registration, act)
    assert (registration.status, registration.asked) == (status, asked)
    return registration


def do(registration: Registration, act: Act, on: date | None = None) -> None:
    """Does one act, on the last day where no other day is given."""
    day = on or registration.valid_until or TODAY
    match act:
        case Act.CORRECT:
            registration.correct(some_particulars(company_name="Angkor Garment & Sons Ltd."))
        case Act.ATTACH:
            registration.attach("gsp_mfn_certificate", "0" * 64)
        case Act.HAND_IN:
            registration.hand_in()
        case Act.RENEW:
            registration.renew(day, None, REQUIREMENTS)
        case Act.APPROVE:
            registration.approve(day, REQUIREMENTS)
        case Act.RETURN:
            registration.return_for_correction("The letter is not signed.")
        case Act.REFUSE:
            registration.refuse("The company does not exist.")
        case Act.SUSPEND:
            registration.suspend("The factory was closed.")
        case Act.REINSTATE:
            registration.reinstate()
        case Act.EXPIRE:
            registration.expire()


def a_pdf(title: str = "A paper") -> bytes:
    """A real PDF with an empty page."""
    document, paper = PdfWriter(), BytesIO()
    document.add_blank_page(width=595, height=842)
    document.add_metadata({"/Title": title})
    document.write(paper)
    return paper.getvalue()


async def upload(service: ServiceUnderTest, owner_id: UUID, content: bytes, media_type: str = "application/pdf") -> str:
    """Uploads a file, in the largest parts that the bus carries."""
    digest, piece = hashlib.sha256(content).hexdigest(), 512 * 1024
    for start in range(0, len(content), piece):
        command = PutRegistrationFile(
            owner_id=owner_id,
            sha256=digest,
            size=len(content),
            media_type=media_type,
            offset=start,
            chunk=content[start : start + piece],
        )
        progress = await service.ask(command, a_person(organisation=owner_id))
    assert progress.complete
    return digest


async def attach(service: ServiceUnderTest, exporter_id: UUID, kind: str, content: bytes) -> Any:
    """Uploads a file and attaches it as a document."""
    digest = await upload(service, exporter_id, content)
    command = AttachRegistrationDocument(exporter_id=exporter_id, kind=kind, sha256=digest)
    return await service.ask(command, a_person("signatory", organisation=exporter_id))


async def apply_with_documents(service: ServiceUnderTest, without: str = "", **changes: Any) -> ApplyForRegistration:
    """A company applies with the required documents, except one."""
    application = an_application(**changes)
    await service.ask(application)
    for kind, (content, _) in FILES.items():
        if kind != without:
            await attach(service, application.exporter_id, kind, content)
    return application


async def registered(service: ServiceUnderTest, **changes: Any) -> ApplyForRegistration:
    """A company that is registered from the present day."""
    application = await apply_with_documents(service, **changes)
    state = await service.ask(ApproveRegistration(exporter_id=application.exporter_id), OFFICER)
    assert state.status == "active"
    return application
