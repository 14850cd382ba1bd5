"""Registrations: a company applies and hands in its documents, an officer decides."""

from uuid import UUID, uuid4

from services.registry.domain.registration import Registration, TaxNumberTaken
from services.registry.domain.user import COMPANY_ROLES, User
from services.registry.passwords import Passwords
from services.registry.store import registrations, users
from services.registry.store.registrations import registration_by_id
from shared.contracts.kinds import FileChunk, FileProgress
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
)
from shared.files import get_file, put_file, require_files
from shared.router import Router
from shared.work import Work

router = Router()


@router.answers(ApplyForRegistration)
async def apply_for_registration(command: ApplyForRegistration, work: Work) -> RegistrationState:
    """A company asks to be registered; sent twice, it is one application."""
    if known := await registrations.find_registration(work, command.exporter_id):
        first = await users.find_user_by_email(work, command.email)
        if first is None or first.organisation != str(command.exporter_id):
            raise TaxNumberTaken("This application id is in use.", "exporter_id")
        return state_of(known)
    password_hash = await work.outside(work.use(Passwords).hash, command.password)
    await users.email_must_be_free(work, command.email)
    await registrations.tax_number_must_be_free(work, command.tax_number)

    registration = Registration(command.exporter_id, command.company_name, command.address, command.tax_number)
    administrator = User(
        user_id=uuid4(),
        name=command.administrator_name,
        email=command.email,
        password_hash=password_hash,
        organisation=str(command.exporter_id),
        roles=sorted(COMPANY_ROLES),  # whoever applies may do everything until colleagues are added (ours)
    )
    work.session.add_all([registration, administrator])
    return state_of(registration)


@router.answers(PutRegistrationFile)
async def put_registration_file(command: PutRegistrationFile, work: Work) -> FileProgress:
    """The applicant uploads a document, piece by piece."""
    work.actor.must_act_for(command.owner_id)
    return await put_file(command, work)


@router.answers(GetRegistrationFile)
async def get_registration_file(question: GetRegistrationFile, work: Work) -> FileChunk:
    """The applicant or an officer reads a document, piece by piece."""
    work.actor.may_read(question.owner_id, "registration_officer", "auditor")
    return await get_file(question, work)


@router.answers(AttachRegistrationDocument)
async def attach_registration_document(command: AttachRegistrationDocument, work: Work) -> RegistrationState:
    """The applicant names an uploaded file as a document of the registration."""
    registration = await registration_by_id(work, command.exporter_id)
    work.actor.must_act_for(registration.exporter_id)
    await require_files(registration.exporter_id, [command.sha256], work)

    registration.attach(command.kind, command.sha256)

    return state_of(registration)


@router.answers(ApproveRegistration)
async def approve_registration(command: ApproveRegistration, work: Work) -> RegistrationState:
    """An officer registers the company for a year."""
    work.actor.must_be("registration_officer")
    registration = await registration_by_id(work, command.exporter_id)

    registration.approve(on=work.today)

    work.announce(approved(registration, work))
    return state_of(registration)


@router.answers(RefuseRegistration)
async def refuse_registration(command: RefuseRegistration, work: Work) -> RegistrationState:
    """An officer refuses the application, with the reason."""
    work.actor.must_be("registration_officer")
    registration = await registration_by_id(work, command.exporter_id)

    registration.refuse(command.reason)

    return state_of(registration)


@router.answers(GetRegistration)
async def get_registration(question: GetRegistration, work: Work) -> RegistrationState:
    """Where does this registration stand?"""
    work.actor.may_read(question.exporter_id, "registration_officer", "administrator", "auditor")
    return state_of(await registration_by_id(work, question.exporter_id))


@router.reannounces("registration", registrations.active_registrations)
async def announce_registration(exporter_id: UUID, work: Work) -> None:
    """A company may ask for certificates."""
    work.announce(approved(await registration_by_id(work, exporter_id), work))


def approved(registration: Registration, work: Work) -> RegistrationApproved:
    """What certificates must know of a registration."""
    valid_from, valid_until = registration.validity
    return RegistrationApproved(
        exporter_id=registration.exporter_id,
        name=registration.company_name,
        address=registration.address,
        valid_from=valid_from,
        valid_until=valid_until,
        version=registration.version,
        occurred_at=work.now,
    )


def state_of(registration: Registration) -> RegistrationState:
    """A registration as it is shown."""
    return RegistrationState(
        exporter_id=registration.exporter_id,
        company_name=registration.company_name,
        tax_number=registration.tax_number,
        status=registration.status,
        documents=sorted(registration.documents),
        valid_from=registration.valid_from,
        valid_until=registration.valid_until,
        reason=registration.reason,
        version=registration.version,
    )
