"""The national customs system, which decides on the documents that partners send."""

import asyncio
from typing import Literal

import httpx
from pydantic import ValidationError

from services.gateway.wire.exchange import XML_TYPE
from services.gateway.wire.messages import Reasons, WireModel
from services.gateway.wire.tls import TIMEOUT
from services.gateway.wire.xml import write_document
from shared.contracts.certificates.documents import FormD
from shared.refusals import Unavailable


class Decision(WireModel):
    """The decision of customs on a document."""

    decision: Literal["accepted", "rejected"]
    reasons: Reasons = ()


class Customs:
    """The client of the national customs system."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client

    async def aclose(self) -> None:
        """Closes the connections to customs."""
        await self._client.aclose()

    async def decide(self, form: FormD) -> Decision:
        """Sends a document to customs and returns their decision; a rejection has reasons. Raises Unavailable."""
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._client.post(self._url, content=write_document(form), headers={"content-type": XML_TYPE})
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"the customs system cannot be reached ({type(error).__name__})") from error
        if answer.status_code != 200:
            raise Unavailable(f"the customs system answered {answer.status_code} {answer.reason_phrase}".rstrip())
        try:
            decision = Decision.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("the customs system gave a malformed answer") from error
        if (decision.decision == "rejected") != bool(decision.reasons):
            raise Unavailable("the customs system must give reasons for a rejection, and only for a rejection")
        return decision
