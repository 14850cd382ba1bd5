"""Documents of an application: the applicant uploads and attaches them, and officers read them."""

from services.registry.companies.domain.life_cycle import Act
from services.registry.companies.store import registration_by_id, save_act
from services.registry.companies.views import state_of, status_changed
from shared.contracts.messages import FileChunk, FileProgress
from shared.contracts.registry.particulars import GetRegistrationFile, PutRegistrationFile
from shared.contracts.registry.registrations import AttachRegistrationDocument, RegistrationState
from shared.handling.files import get_file, put_file, whole_file
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()

ROOM, ROOM_ONCE_APPROVED = 100 * 1024 * 1024, 1024 * 1024 * 1024
"""Bytes of all files of a company: of an applicant, which anybody can become, and of one that was approved once (ours)."""


@router.answers(PutRegistrationFile)
async def put_registration_file(command: PutRegistrationFile, work: Work) -> FileProgress:
    """The applicant uploads a part of a file."""
    work.actor.must_act_for(command.owner_id)
    registration = await registration_by_id(work, command.owner_id, to_change=False)
    return await put_file(command, work, room=ROOM_ONCE_APPROVED if registration.was_ever_approved else ROOM)


@router.answers(GetRegistrationFile)
async def get_registration_file(question: GetRegistrationFile, work: Work) -> FileChunk:
    """The applicant or an officer reads a part of a file."""
    work.actor.may_read(question.owner_id, *question.read_by)
    return await get_file(question, work)


@router.answers(AttachRegistrationDocument)
async def attach_registration_document(command: AttachRegistrationDocument, work: Work) -> RegistrationState:
    """The applicant attaches an uploaded file as a document. The file is checked first, so that officers can open it safely."""
    work.actor.must_act_for(command.exporter_id)
    registration = await registration_by_id(work, command.exporter_id)
    if registration.holds(command.kind, command.sha256):  # checked before: the applicant has lost the answer
        return state_of(registration, work)
    await work.in_process(_examine, command.kind, await whole_file(command.exporter_id, command.sha256, work))
    registration = await registration_by_id(work, command.exporter_id)

    if registration.attach(command.kind, command.sha256):
        document = {"document": command.kind, "sha256": command.sha256}
        await save_act(registration, Act.ATTACH, work, work.actor, **document)
        work.announce(status_changed(registration, work))

    return state_of(registration, work)


def _examine(kind: str, content: bytes) -> None:
    """Checks a document. Only the process that does it needs the libraries, which take 9 MB."""
    from shared.uploads.document_check import examine

    examine(kind, content)
