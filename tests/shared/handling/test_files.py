"""Files travel in chunks, whole or not at all."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN
from pydantic import ValidationError

from shared.bus.client import AskRefused
from shared.contracts.fields import MAX_CHUNK
from shared.contracts.messages import FileProgress, GetFile, PutFile
from shared.contracts.registry.particulars import GetRegistrationFile, PutRegistrationFile
from shared.handling.files import FileMismatch, FileNotFound, FileTooLarge, NoRoom, get_file, put_file, require_files
from shared.handling.router import Router
from shared.handling.work import ServiceContext, Work
from tests.conftest import Databases
from tests.support.bus import Bus
from tests.support.plumbing_stack import a_plumbing_stack, a_service_context, digest_of

CONTENT = Random(1).randbytes(1000)


class PutSmall(PutFile):
    limit: ClassVar[int] = 2000


class GetSmall(GetFile):
    pass


@pytest.fixture
async def context(databases: Databases) -> AsyncIterator[ServiceContext]:
    async with a_service_context(databases.of("fees")) as furnished:
        yield furnished


OWNER = uuid4()
ROOM = 5000


def a_chunk(start: int = 0, end: int | None = None, content: bytes = CONTENT, **fields: object) -> PutSmall:
    return PutSmall(
        **{
            "owner_id": OWNER,
            "sha256": digest_of(content),
            "size": len(content),
            "media_type": "application/pdf",
            "offset": start,
            "chunk": content[start:end],
        }
        | fields
    )


async def put(context: ServiceContext, *chunks: PutSmall) -> FileProgress:
    for chunk in chunks:
        async with context.work(INVALID_SPAN) as work:
            progress = await put_file(chunk, work, room=ROOM)
    return progress


async def read(context: ServiceContext, digest: str = digest_of(CONTENT), owner: UUID = OWNER) -> bytes:
    content = b""
    async with context.reading(INVALID_SPAN) as work:
        while True:
            piece = await get_file(GetSmall(owner_id=owner, sha256=digest, offset=len(content)), work)
            content += piece.chunk
            if len(content) >= piece.size:
                return content


async def test_a_file_comes_back_byte_for_byte(context: ServiceContext) -> None:
    assert await put(context, a_chunk()) == FileProgress(received=1000, complete=True)

    assert await read(context) == CONTENT


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_chunks_come_in_any_order(context: ServiceContext, order: tuple[int, ...]) -> None:
    chunks = (a_chunk(0, 400), a_chunk(400, 800), a_chunk(800))

    for number in order[:2]:
        assert not (await put(context, chunks[number])).complete
    assert (await put(context, chunks[order[2]])).complete

    assert await read(context) == CONTENT


async def test_a_chunk_sent_twice_does_no_harm(context: ServiceContext) -> None:
    progress = await put(context, a_chunk(0, 400), a_chunk(0, 400))
    assert progress == FileProgress(received=400, complete=False)

    assert (await put(context, a_chunk(400), a_chunk(400), a_chunk(0, 400))).complete
    assert await read(context) == CONTENT


async def test_a_file_that_is_not_whole_cannot_be_read(context: ServiceContext) -> None:
    await put(context, a_chunk(0, 400))

    with pytest.raises(FileNotFound):
        await read(context)
    with pytest.raises(FileNotFound):
        async with context.reading(INVALID_SPAN) as work:
            await require_files(OWNER, [digest_of(CONTENT)], work)


async def test_another_content_than_announced_is_refused_and_can_be_sent_again(context: ServiceContext) -> None:
    await put(context, a_chunk(0, 400))
    with pytest.raises(FileMismatch):
        await put(context, a_chunk(400, chunk=b"x" * 600))

    assert (await put(context, a_chunk(400))).complete
    assert await read(context) == CONTENT


async def test_a_wrong_first_chunk_is_mended_by_sending_the_file_again_from_the_start(context: ServiceContext) -> None:
    await put(context, a_chunk(0, 400, chunk=b"x" * 400))
    with pytest.raises(FileMismatch):
        await put(context, a_chunk(400))

    assert (await put(context, a_chunk(0, 400), a_chunk(400))).complete
    assert await read(context) == CONTENT


async def test_chunks_cut_in_another_place_are_mended_by_sending_the_file_again_from_the_start(context: ServiceContext) -> None:
    """An interrupted upload is begun again by a client with another size of chunk."""
    await put(context, a_chunk(300, 700))
    try:
        await put(context, a_chunk(0, 500), a_chunk(500))
    except FileMismatch:
        await put(context, a_chunk(0, 500), a_chunk(500))

    assert await read(context) == CONTENT


@pytest.mark.parametrize("offset", [0, 1, 999])
async def test_a_chunk_beyond_the_end_is_refused(context: ServiceContext, offset: int) -> None:
    with pytest.raises(FileMismatch):
        await put(context, a_chunk(offset=offset, chunk=b"x" * 1001))


async def test_an_empty_chunk_is_refused(context: ServiceContext) -> None:
    with pytest.raises(FileMismatch):
        await put(context, a_chunk(chunk=b""))


async def test_too_large_a_file_is_refused(context: ServiceContext) -> None:
    with pytest.raises(FileTooLarge, match="2000 bytes here"):
        await put(context, a_chunk(size=2001))


async def test_an_owner_has_room_for_so_much_and_what_is_there_already_is_finished(context: ServiceContext) -> None:
    def content(number: int) -> bytes:
        return bytes([number]) * 1999

    await put(context, *(a_chunk(0, 1000, content=content(number)) for number in (1, 2)))
    with pytest.raises(NoRoom, match="room for 5000 bytes"):
        await put(context, a_chunk(0, 1000, content=content(3)))
    assert (await put(context, a_chunk(1000, content=content(2)))).complete
    assert (await put(context, a_chunk(content=content(3), owner_id=uuid4()))).complete


async def test_a_size_beyond_every_number_is_refused(context: ServiceContext) -> None:
    with pytest.raises(ValidationError):
        a_chunk(size=2**70)
    with pytest.raises(FileTooLarge):
        await put(context, a_chunk(size=2**31 - 1))


async def test_an_offset_beyond_every_number_is_refused_when_read(context: ServiceContext) -> None:
    await put(context, a_chunk())

    with pytest.raises((FileNotFound, ValueError)):
        async with context.reading(INVALID_SPAN) as work:
            await get_file(GetSmall(owner_id=OWNER, sha256=digest_of(CONTENT), offset=2**40), work)


async def test_another_size_than_announced_before_is_refused(context: ServiceContext) -> None:
    await put(context, a_chunk(0, 400))

    with pytest.raises(FileMismatch):
        await put(context, a_chunk(0, 400, size=999))


async def test_what_one_owner_sent_is_not_anothers(context: ServiceContext) -> None:
    await put(context, a_chunk())

    with pytest.raises(FileNotFound):
        await read(context, owner=uuid4())


async def test_two_first_chunks_sent_at_once_are_both_kept(context: ServiceContext) -> None:
    await asyncio.gather(put(context, a_chunk(0, 400)), put(context, a_chunk(400)))

    assert await read(context) == CONTENT


async def test_the_files_named_must_all_be_there(context: ServiceContext) -> None:
    await put(context, a_chunk())
    async with context.reading(INVALID_SPAN) as work:
        await require_files(OWNER, [], work)
        await require_files(OWNER, [digest_of(CONTENT)] * 2, work)
        with pytest.raises(FileNotFound, match="1 of the files") as refused:
            await require_files(OWNER, [digest_of(CONTENT), digest_of(b"other")], work)
    assert refused.value.fields == ("documents",)


async def keep_file(command: PutRegistrationFile, work: Work) -> FileProgress:
    return await put_file(command, work, room=PutRegistrationFile.limit)


async def test_a_large_file_travels_over_the_bus_and_back(bus: Bus, databases: Databases) -> None:
    router, content = Router(), Random(2).randbytes(2 * MAX_CHUNK + 17)
    router.answers(PutRegistrationFile)(keep_file)
    router.answers(GetRegistrationFile)(get_file)
    async with a_plumbing_stack(bus, databases, "registry") as stack:
        await stack.replica(router)
        asker, token, owner = await stack.asker(), stack.token(), uuid4()

        digest = await asker.put_file(PutRegistrationFile, owner, content, "application/pdf", token)

        back = b""
        while len(back) < len(content):
            question = GetRegistrationFile(owner_id=owner, sha256=digest, offset=len(back))
            back += (await asker.ask(question, token=token)).chunk
        assert back == content
        with pytest.raises(AskRefused, match="file_too_large"):
            await asker.put_file(PutRegistrationFile, owner, b"x" * (5 * 1024 * 1024 + 1), "application/pdf", token)
