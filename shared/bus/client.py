"""How those who only ask do it - the portal, `co`, the stories: patiently, and never acting twice."""

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, Self
from uuid import UUID

from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import BaseModel

from shared.bus.connection import FROM_HEADER, STEP_UP_HEADER, TOKEN_HEADER, TRACE_HEADER, connect
from shared.contracts.fields import MAX_CHUNK
from shared.contracts.messages import TRY_AGAIN, PutFile, Refusal, Request
from shared.observability.tracing import traceparent

ONE_TRY = 5.0
PAUSE = 0.2


class AskRefused(Exception):
    """The service said no; `refusal` says why, in a slug, a sentence and the fields concerned."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(f"{refusal.code}: {refusal.detail}")


class NobodyAnswers(Exception):
    """No replica of the service answered in time. What was asked may or may not have been done: ask the same again."""


class _Envelope(BaseModel):
    answer: dict[str, Any] | None = None
    refusal: Refusal | None = None


class BusClient:
    """Asks over the bus as one user of it. A command keeps its id while it is asked again, so it acts once."""

    def __init__(self, client: Client, patience: float = 30.0) -> None:
        self._client = client
        self._patience = patience

    @classmethod
    async def connect(
        cls, user: str, url: str, seed: str, ca_file: Path | None = None, *, patience: float = 30.0, **options: Any
    ) -> Self:
        """Connects as a user of the bus; `patience`: seconds for which an unanswered request is asked again."""
        return cls(await connect(user, url, seed, ca_file, **options), patience)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(NatsError):
            await self._client.close()

    async def ask(
        self,
        request: Request,
        *,
        token: str | None = None,
        service: str = "",
        step_up: str | None = None,
        from_where: str | None = None,
    ) -> Any:
        """The answer, of the class the request names. `service`: whom an operational question is for; `from_where`: the
        address of the person's machine, where the one who asks for them has seen it.

        Raises AskRefused, and NobodyAnswers when patience ends.
        """
        headers = {TOKEN_HEADER: token, STEP_UP_HEADER: step_up, FROM_HEADER: from_where}
        envelope = await self._envelope(request, service, headers)
        if envelope.refusal is not None:
            raise AskRefused(envelope.refusal)
        return request.answer.model_validate(envelope.answer)

    async def _envelope(self, request: Request, service: str, headers: dict[str, str | None]) -> _Envelope:
        subject = request.subject.format(service=service)
        present = {name: value for name, value in (headers | {TRACE_HEADER: traceparent()}).items() if value}
        body = request.model_dump_json().encode()
        until = monotonic() + self._patience
        while True:
            try:
                reply = await self._client.request(subject, body, timeout=min(ONE_TRY, self._patience), headers=present or None)
                envelope = _Envelope.model_validate_json(reply.data)
                if envelope.refusal is None or envelope.refusal.code != TRY_AGAIN or monotonic() > until:
                    return envelope
            except (NatsError, TimeoutError) as error:
                if monotonic() > until:
                    raise NobodyAnswers(f"Nobody answered {subject} within {self._patience:.0f} s.") from error
            await asyncio.sleep(PAUSE)

    async def put_file(self, kind: type[PutFile], owner_id: UUID, content: bytes, media_type: str, token: str) -> str:
        """Sends a file to its owner in chunks and returns its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        for offset in range(0, len(content), MAX_CHUNK):
            chunk = content[offset : offset + MAX_CHUNK]
            piece = kind(owner_id=owner_id, sha256=digest, size=len(content), media_type=media_type, offset=offset, chunk=chunk)
            await self.ask(piece, token=token)
        return digest
