"""The client of the bus: the portal, `co` and the tests send requests with it and retry them safely."""

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

ATTEMPT_TIMEOUT = 5.0
PAUSE = 0.2
"""Seconds that one attempt waits for a reply, and seconds between two attempts."""


class AskRefused(Exception):
    """The service refused the request. `refusal` has the code, the sentence and the fields concerned."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        problems = (f"- {', '.join(each.fields)}: {each.detail}" for each in refusal.problems)
        super().__init__("\n".join([f"{refusal.code}: {refusal.detail}", *problems]))


class NobodyAnswers(Exception):
    """No replica of the service replied in time. The command may have been done or not: send the same request again."""


class _Envelope(BaseModel):
    answer: dict[str, Any] | None = None
    refusal: Refusal | None = None


class BusClient:
    """Sends requests as one user of the bus. A retried command keeps its id, so it is done once."""

    def __init__(self, client: Client, patience: float = 30.0) -> None:
        self._client = client
        self._patience = patience

    @classmethod
    async def connect(
        cls, user: str, url: str, seed: str, ca_file: Path | None = None, *, patience: float = 30.0, **options: Any
    ) -> Self:
        """Connects as a user of the bus. `patience`: seconds for which an unanswered request is retried."""
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
        """Sends a request and returns its answer, of the class `request.answer`.

        `service`: the receiver of an operator's request. `from_where`: the IP address of the person's machine, if known.
        Raises AskRefused if the service refuses, and NobodyAnswers after `patience` seconds.
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
        deadline = monotonic() + self._patience
        timeout = request.answered_within or min(ATTEMPT_TIMEOUT, self._patience)
        while True:
            try:
                reply = await self._client.request(subject, body, timeout=timeout, headers=present or None)
                envelope = _Envelope.model_validate_json(reply.data)
                if envelope.refusal is None or envelope.refusal.code != TRY_AGAIN or monotonic() > deadline:
                    return envelope
            except (NatsError, TimeoutError) as error:
                if monotonic() > deadline:
                    raise NobodyAnswers(f"No reply to {subject} within {self._patience:.0f} s.") from error
            await asyncio.sleep(PAUSE)

    async def put_file(self, kind: type[PutFile], owner_id: UUID, content: bytes, media_type: str, token: str) -> str:
        """Sends a file to its owner in chunks and returns its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        for offset in range(0, len(content), MAX_CHUNK):
            chunk = content[offset : offset + MAX_CHUNK]
            piece = kind(owner_id=owner_id, sha256=digest, size=len(content), media_type=media_type, offset=offset, chunk=chunk)
            await self.ask(piece, token=token)
        return digest
