"""The national customs system, which decides on the documents that partners send."""

import asyncio
from datetime import datetime
from typing import Literal

import httpx
from pydantic import ValidationError

from services.gateway.wire.exchange import XML_TYPE
from services.gateway.wire.messages import Reasons, WireModel
from services.gateway.wire.tls import TIMEOUT
from shared.contracts.messages import Contract
from shared.refusals import Unavailable
from shared.xml.documents import write_document


class Decision(WireModel):
    """The decision of customs on a document."""

    decision: Literal["accepted", "rejected"]
    reasons: Reasons = ()


class CancelledCertificate(WireModel):
    """A certificate of another country that its issuing authority has cancelled. `replaced_by`: the one that replaces it."""

    origin: str
    reference: str
    cancelled_at: datetime
    reason: str
    replaced_by: str | None = None


class Customs:
    """The client of the national customs system."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client

    async def aclose(self) -> None:
        """Closes the connections to customs."""
        await self._client.aclose()

    async def decide(self, document: Contract) -> Decision:
        """Sends a document to customs and returns their decision; a rejection has reasons. Raises Unavailable."""
        answer = await self._post(self._url, write_document(document), XML_TYPE)
        try:
            decision = Decision.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("the customs system gave a malformed answer") from error
        if (decision.decision == "rejected") != bool(decision.reasons):
            raise Unavailable("the customs system must give reasons for a rejection, and only for a rejection")
        return decision

    async def cancel(self, cancelled: CancelledCertificate) -> None:
        """Informs customs that a certificate was cancelled. The address is that of documents with `/cancelled`."""
        await self._post(f"{self._url}/cancelled", cancelled.model_dump_json().encode(), "application/json")

    async def _post(self, url: str, body: bytes, content_type: str) -> httpx.Response:
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._client.post(url, content=body, headers={"content-type": content_type})
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"the customs system cannot be reached ({type(error).__name__})") from error
        if answer.status_code != 200:
            raise Unavailable(f"the customs system answered {answer.status_code} {answer.reason_phrase}".rstrip())
        return answer
