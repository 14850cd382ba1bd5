"""Files: sent in chunks, addressed by their SHA-256, stored in the database of the service that owns them."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from shared.contracts.fields import MAX_CHUNK
from shared.contracts.messages import FileChunk, FileProgress, GetFile, PutFile
from shared.database.tables import file_chunks, files
from shared.handling.work import Work
from shared.refusals import Refused


class FileTooLarge(Refused):
    code = "file_too_large"


class NoRoom(Refused):
    code = "no_room_for_files"


class FileMismatch(Refused):
    code = "file_mismatch"


class ChunkOutsideFile(FileMismatch):
    variant = "chunk_outside_file"


class FileSizeDiffers(FileMismatch):
    variant = "size_differs"


class FileNotFound(Refused):
    code = "file_not_found"


class ChunkNotFound(FileNotFound):
    variant = "chunk"


async def put_file(command: PutFile, work: Work, *, room: int) -> FileProgress:
    """Stores one chunk; the last one completes the file. Storing a chunk twice changes nothing.

    `room`: maximum bytes of all files of the owner. Raises FileTooLarge, NoRoom, and FileMismatch if size or digest differ.
    """
    end = command.offset + len(command.chunk)
    if command.size > command.limit:
        raise FileTooLarge("size", limit=command.limit, size=command.size)
    if end > command.size or not command.chunk:
        raise ChunkOutsideFile("offset", "chunk")
    this = (files.c.owner_id == command.owner_id) & (files.c.sha256 == command.sha256)
    row = {"owner_id": command.owner_id, "sha256": command.sha256, "size": command.size, "media_type": command.media_type}
    if await work.insert_new(files, [row]):
        total = await work.session.scalar(select(func.sum(files.c.size)).where(files.c.owner_id == command.owner_id)) or 0
        if total > room:
            raise NoRoom("size", room=room, needed=total)
    stored = (await work.session.execute(select(files).where(this).with_for_update())).one()
    if stored.size != command.size:
        raise FileSizeDiffers("size")
    if stored.complete:
        return FileProgress(received=stored.size, complete=True)

    pieces = (file_chunks.c.owner_id == command.owner_id) & (file_chunks.c.sha256 == command.sha256)
    overlaps = (file_chunks.c.start < end) & (file_chunks.c.start + func.length(file_chunks.c.chunk) > command.offset)
    await work.session.execute(delete(file_chunks).where(pieces, overlaps))
    piece = {"owner_id": command.owner_id, "sha256": command.sha256, "start": command.offset, "chunk": command.chunk}
    await work.session.execute(insert(file_chunks).values(piece))
    received = await work.session.scalar(select(func.sum(func.length(file_chunks.c.chunk))).where(pieces)) or 0
    if received < command.size:
        return FileProgress(received=received, complete=False)

    digest = hashlib.sha256()
    for chunk in await work.session.scalars(select(file_chunks.c.chunk).where(pieces).order_by(file_chunks.c.start)):
        digest.update(chunk)
    if digest.hexdigest() != command.sha256:
        raise FileMismatch("sha256")
    await work.session.execute(update(files).where(this).values(complete=True))
    return FileProgress(received=received, complete=True)


async def store_file(owner_id: UUID, content: bytes, media_type: str, work: Work) -> str:
    """Stores a file that the service itself has made; returns its SHA-256. Storing it twice changes nothing."""
    digest = hashlib.sha256(content).hexdigest()
    row = {"owner_id": owner_id, "sha256": digest, "size": len(content), "media_type": media_type, "complete": True}
    if await work.insert_new(files, [row]):
        starts = range(0, len(content), MAX_CHUNK)
        pieces = [
            {"owner_id": owner_id, "sha256": digest, "start": start, "chunk": content[start : start + MAX_CHUNK]}
            for start in starts
        ]
        await work.session.execute(insert(file_chunks), pieces)
    return digest


async def delete_file(owner_id: UUID, sha256: str, work: Work) -> None:
    """Deletes a file."""
    for table in (file_chunks, files):
        await work.session.execute(delete(table).where(table.c.owner_id == owner_id, table.c.sha256 == sha256))


async def get_file(question: GetFile, work: Work) -> FileChunk:
    """The chunk of a complete file that starts at the offset. Raises FileNotFound."""
    pieces = (file_chunks.c.owner_id == question.owner_id) & (file_chunks.c.sha256 == question.sha256)
    of_file = (file_chunks.c.owner_id == files.c.owner_id) & (file_chunks.c.sha256 == files.c.sha256)
    found = (
        await work.session.execute(
            select(file_chunks.c.chunk, files.c.size, files.c.media_type)
            .join(files, of_file)
            .where(pieces, files.c.complete, file_chunks.c.start == question.offset)
        )
    ).first()
    if found is None:
        raise ChunkNotFound("sha256", "offset", file=f"{question.sha256[:12]}…", offset=question.offset)
    return FileChunk(chunk=found.chunk, size=found.size, media_type=found.media_type)


async def whole_file(owner_id: UUID, sha256: str, work: Work) -> bytes:
    """The content of a complete file. Raises FileNotFound."""
    await require_files(owner_id, [sha256], work)
    pieces = (file_chunks.c.owner_id == owner_id) & (file_chunks.c.sha256 == sha256)
    return b"".join(await work.session.scalars(select(file_chunks.c.chunk).where(pieces).order_by(file_chunks.c.start)))


async def require_files(owner_id: UUID, digests: Iterable[str], work: Work) -> None:
    """Raises FileNotFound, for the field `documents`, unless each of these files is complete."""
    wanted = set(digests)
    complete = select(files.c.sha256).where(files.c.owner_id == owner_id, files.c.complete, files.c.sha256.in_(wanted))
    missing = wanted - set(await work.session.scalars(complete))
    if missing:
        raise FileNotFound("documents", missing=len(missing))
