"""The company's part: it applies, says what it is, hands in its papers, asks for another year, and looks."""

from contextlib import suppress
from uuid import uuid4

from services.registry.catalogue import Catalogue
from services.registry.domain.particulars import Particulars
from services.registry.domain.password import must_be_hard_to_guess
from services.registry.domain.registration import Act, ApplicationIdTaken, Registration
from services.registry.domain.session import SignInDelayed
from services.registry.domain.user import COMPANY_ROLES, User
from services.registry.papers import examine
from services.registry.passwords import Passwords
from services.registry.store import registrations, tries, users
from services.registry.store.registrations import acts_of, note_act, registration_by_id
from services.registry.views import READERS, heard, state_of
from shared.contracts.messages import FileChunk, FileProgress
from shared.contracts.registry import particulars as contracts
from shared.contracts.registry.particulars import GetRegistrationFile, PutRegistrationFile
from shared.contracts.registry.registrations import (
    ApplyForRegistration,
    AttachRegistrationDocument,
    CorrectRegistration,
    GetRegistration,
    GetRegistrationHistory,
    HandInRegistration,
    RegistrationAct,
    RegistrationHistory,
    RegistrationState,
    RenewRegistration,
)
from shared.handling.actor import Actor
from shared.handling.files import get_file, put_file, whole_file
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()

ROOM, ROOM_ONCE_APPROVED = 100 * 1024 * 1024, 1024 * 1024 * 1024
"""Bytes of all documents of a company that has only applied, which anybody can, and of one that was registered (ours)."""


@router.answers(ApplyForRegistration)
async def apply_for_registration(command: ApplyForRegistration, work: Work) -> RegistrationState:
    """A company asks to be registered; sent twice, also at once, it is one application."""
    if known := await sent_before(command, work):
        return state_of(known, work)
    if await registrations.was_lost(work, command.exporter_id):
        raise ApplicationIdTaken("exporter_id")
    fields = set(contracts.Particulars.model_fields)
    told = command.model_dump(include=fields) | {"contact_email": command.contact_email or command.email}
    particulars = heard(contracts.Particulars.model_validate(told))
    must_be_sound(particulars, work)
    must_be_hard_to_guess(command.password, command.administrator_name, command.email)
    password_hash = await work.between_transactions(work.use(Passwords).hash, command.password)
    if known := await sent_before(command, work):
        return state_of(known, work)
    await users.email_must_be_free(work, command.email)
    await registrations.tax_number_must_be_free(work, command.tax_number)

    registration = Registration(command.exporter_id, particulars, command.tax_number)
    administrator = User(
        user_id=uuid4(),
        name=command.administrator_name,
        email=command.email,
        password_hash=password_hash,
        organisation=str(command.exporter_id),
        roles=sorted(COMPANY_ROLES),  # whoever applies may do everything until colleagues are added (ours)
    )
    work.session.add_all([registration, administrator])
    await note_act(registration, Act.APPLY, work, Actor(user_id=administrator.user_id, organisation=administrator.organisation))
    return state_of(registration, work)


async def sent_before(command: ApplyForRegistration, work: Work) -> Registration | None:
    """The registration, where the applicant sends this again. Raises TaxNumberTaken where its id is in use by others.

    Only the applicant's own password is believed. Everybody else gets this one refusal, whatever address they name.
    """
    if await registrations.find_registration(work, command.exporter_id, to_change=False) is None:
        return None
    async with work.use(Passwords).turn(work):
        if not await is_of_applicant(command, work):
            raise ApplicationIdTaken("exporter_id")
    return await registrations.find_registration(work, command.exporter_id, to_change=False)


async def is_of_applicant(command: ApplyForRegistration, work: Work) -> bool:
    """Whether this is sent by the person who applied, with the password that they sign in with.

    It counts as a try to sign in, also for an address that nobody has here, and takes as long: so nobody guesses passwords
    or learns of accounts this way. While guessers are made to wait, no password is right.
    """
    applicant = await users.find_applicant(work, command.exporter_id, command.email)
    user_id, password_hash = (applicant.user_id, applicant.password_hash) if applicant else (None, None)
    counted = None
    with suppress(SignInDelayed):
        counted = await tries.count_try(work, tries.of_account(command.email))

    verdict = await work.between_transactions(work.use(Passwords).verify, password_hash if counted else None, command.password)

    if user_id is None or counted is None or not verdict.right:
        return False
    user = await users.find_user(work, user_id)
    if user is None or user.password_hash != password_hash or not user.may_sign_in:  # another one meanwhile
        return False
    user.password_hash = verdict.better_hash or user.password_hash
    await tries.take_back(work, counted)
    return True


@router.answers(CorrectRegistration)
async def correct_registration(command: CorrectRegistration, work: Work) -> RegistrationState:
    """The applicant changes what the application, or the renewal, says of the company."""
    work.actor.must_act_for(command.exporter_id)
    particulars = heard(command.particulars)
    must_be_sound(particulars, work, "particulars.")
    registration = await registration_by_id(work, command.exporter_id)
    if command.tax_number not in (None, registration.tax_number):
        await registrations.tax_number_must_be_free(work, str(command.tax_number))

    registration.correct(particulars, command.tax_number)

    await note_act(registration, Act.CORRECT, work, work.actor)
    return state_of(registration, work)


@router.answers(PutRegistrationFile)
async def put_registration_file(command: PutRegistrationFile, work: Work) -> FileProgress:
    """The applicant uploads a document, piece by piece."""
    work.actor.must_act_for(command.owner_id)
    registration = await registration_by_id(work, command.owner_id, to_change=False)
    return await put_file(command, work, room=ROOM_ONCE_APPROVED if registration.was_ever_approved else ROOM)


@router.answers(GetRegistrationFile)
async def get_registration_file(question: GetRegistrationFile, work: Work) -> FileChunk:
    """The applicant or an officer reads a document, piece by piece."""
    work.actor.may_read(question.owner_id, "registration_officer", "auditor")
    return await get_file(question, work)


@router.answers(AttachRegistrationDocument)
async def attach_registration_document(command: AttachRegistrationDocument, work: Work) -> RegistrationState:
    """The applicant names an uploaded file as a document, once it is found to be a paper that nobody need fear to open."""
    work.actor.must_act_for(command.exporter_id)
    registration = await registration_by_id(work, command.exporter_id)
    if registration.holds(command.kind, command.sha256):  # examined before: the answer was lost
        return state_of(registration, work)
    await work.in_process(examine, command.kind, await whole_file(command.exporter_id, command.sha256, work))
    registration = await registration_by_id(work, command.exporter_id)

    if registration.attach(command.kind, command.sha256):
        document = {"document": command.kind, "sha256": command.sha256}
        await note_act(registration, Act.ATTACH, work, work.actor, **document)

    return state_of(registration, work)


@router.answers(HandInRegistration)
async def hand_in_registration(command: HandInRegistration, work: Work) -> RegistrationState:
    """The applicant hands in again what was returned or refused."""
    work.actor.must_act_for(command.exporter_id)
    registration = await registration_by_id(work, command.exporter_id)
    if not registration.holds_tax_number:
        await registrations.tax_number_must_be_free(work, registration.tax_number)

    registration.hand_in()

    await note_act(registration, Act.HAND_IN, work, work.actor)
    return state_of(registration, work)


@router.answers(RenewRegistration)
async def renew_registration(command: RenewRegistration, work: Work) -> RegistrationState:
    """The company asks for another year."""
    work.actor.must_act_for(command.exporter_id)
    particulars = heard(command.particulars) if command.particulars else None
    if particulars:
        must_be_sound(particulars, work, "particulars.")
    registration = await registration_by_id(work, command.exporter_id)

    registration.renew(work.today, particulars, work.use(Catalogue).requirements(work.today))

    await note_act(registration, Act.RENEW, work, work.actor)
    return state_of(registration, work)


@router.answers(GetRegistration)
async def get_registration(question: GetRegistration, work: Work) -> RegistrationState:
    """Where does this registration stand?"""
    work.actor.may_read(question.exporter_id, *READERS)
    return state_of(await registration_by_id(work, question.exporter_id), work)


@router.answers(GetRegistrationHistory)
async def get_registration_history(question: GetRegistrationHistory, work: Work) -> RegistrationHistory:
    """Who did what with this registration, and when?"""
    work.actor.may_read(question.exporter_id, *READERS)
    await registration_by_id(work, question.exporter_id)
    rows = await acts_of(work, question.exporter_id, question.before, question.limit + 1)
    page = rows[: question.limit]
    return RegistrationHistory(
        exporter_id=question.exporter_id,
        acts=[RegistrationAct.model_validate(dict(row._mapping)) for row in page],
        go_on_before=page[-1].version if len(rows) > len(page) else None,
    )


def must_be_sound(particulars: Particulars, work: Work, at: str = "") -> None:
    """Refuses what cannot be true, cannot be printed, or names no district, naming the field."""
    particulars.must_be_sound(work.today, at)
    work.use(Catalogue).must_know(particulars, f"{at}district")
