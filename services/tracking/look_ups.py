"""Looks certificates up. Those that visitors want at the same time are read by one statement."""

import asyncio
from contextlib import suppress

from opentelemetry.trace import INVALID_SPAN

from services.tracking.store import CertificateNotFound, Tracked, certificates_by_references
from shared.handling.work import ServiceContext

MAX_TOGETHER = 100


class LookUps:
    """The look-ups of this replica. Each one reads the database after it was wanted: nothing is kept."""

    def __init__(self) -> None:
        self._wanted: list[tuple[str, asyncio.Future[Tracked | None]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def find(self, reference: str, context: ServiceContext) -> Tracked:
        """The certificate of a reference. Raises CertificateNotFound, or what the database raises."""
        found: asyncio.Future[Tracked | None] = asyncio.get_running_loop().create_future()
        self._wanted.append((reference, found))
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(context))
        if (tracked := await found) is None:
            raise CertificateNotFound("reference", certificate=reference)
        return tracked

    async def aclose(self) -> None:
        """Ends the look-up in progress."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _read(self, context: ServiceContext) -> None:
        while self._wanted:
            together, self._wanted = self._wanted[:MAX_TOGETHER], self._wanted[MAX_TOGETHER:]
            try:
                async with context.reading(INVALID_SPAN) as work:
                    found = await certificates_by_references(work, {reference for reference, _ in together})
            except Exception as error:
                for _, waiting in together:
                    if not waiting.done():
                        waiting.set_exception(error)
            else:
                for reference, waiting in together:
                    if not waiting.done():  # its visitor has gone
                        waiting.set_result(found.get(reference))
