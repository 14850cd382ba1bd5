"""The exchange with partner gateways over HTTPS: messages out, receipts back, and messages in."""

import asyncio
import ssl
from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import UUID

import httpx

from services.gateway.wire import xml
from services.gateway.wire.messages import Envelope, Kind, Receipt, Told
from services.gateway.wire.opening import Contents, NotTaken, Opener, claimed_country
from services.gateway.wire.partners import Partner, Partners
from services.gateway.wire.signature import Signer
from shared import hooks
from shared.observability.tracing import traceparent
from shared.refusals import Refused, Unavailable

XML_TYPE = "application/xml"
PATIENCE = 30.0
"""Seconds in which a partner must have answered."""
REST = 5.0
"""Seconds for which a partner that is away is left alone; then one message tries for all, so that others are not held up."""


class ContentUnreadable(Refused):
    code = "document_unreadable"


class PartnerAway(Unavailable):
    """A partner's gateway is not there, too slow, or does not work."""


@dataclass
class Absence:
    """Why a partner is away, and until when (monotonic seconds) nobody asks."""

    reason: str
    until: float


@dataclass(frozen=True)
class Opened:
    """A message whose signature is verified. `raw`: all of it as it came, to be kept as evidence."""

    contents: Contents
    partner: Partner
    raw: bytes

    @property
    def envelope(self) -> Envelope:
        """Who tells whom."""
        return self.contents.envelope

    def content(self) -> Told:
        """What the message says. Raises ContentUnreadable, so that the sender is told what is wrong."""
        if self.contents.content is None:
            raise ContentUnreadable(malformed=self.contents.malformed)
        return self.contents.content


class Exchange:
    """This country's gateway, as its partners know it."""

    def __init__(
        self,
        country: str,
        partners: Partners,
        signer: Signer,
        client: httpx.AsyncClient,
        max_message_bytes: int,
        rest: float = REST,
        opener: Opener | None = None,
    ) -> None:
        self.country = country
        self.max_message_bytes = max_message_bytes
        self._rest = rest
        self._away: dict[str, Absence] = {}
        self._partners = partners
        self._signer = signer
        self._client = client
        self._opener = opener or Opener()

    def envelope(self, message_id: UUID, kind: Kind, receiver: str, reference: str, number: int, at: datetime) -> Envelope:
        """The envelope of a message from here."""
        return Envelope(
            message_id=message_id,
            kind=kind,
            sender=self.country,
            receiver=receiver,
            sent_at=at,
            reference=reference,
            number=number,
        )

    async def aclose(self) -> None:
        """Closes the connections to partners, and ends the processes that open messages."""
        await self._client.aclose()
        await self._opener.aclose()

    async def send(self, envelope: Envelope, content: Told) -> Receipt:
        """Hands a message to the receiver's gateway and returns its receipt.

        Raises Unavailable for whatever is not a genuine receipt for this very message: it is sent again later.
        """
        partner = self._partners.by_country(envelope.receiver)
        name = f"the gateway of {self._partners.name_of(partner.country)}"
        self._must_not_be_resting(partner)
        try:
            answer = await self._post(partner, name, await self.signed(envelope, content))
        except PartnerAway as error:
            self._away[partner.country] = Absence(str(error), monotonic() + self._rest)
            raise
        self._away.pop(partner.country, None)
        try:
            opened = await self.opened(answer)
            receipt = opened.content()
        except (NotTaken, ContentUnreadable) as error:
            raise Unavailable(f"{name} gave an answer that cannot be trusted: {error.detail}") from error
        if opened.partner is not partner or not isinstance(receipt, Receipt):
            raise Unavailable(f"{name} answered with something else than its receipt")
        about = (receipt.in_reply_to, opened.envelope.reference, opened.envelope.number)
        if about != (envelope.message_id, envelope.reference, envelope.number):
            raise Unavailable(f"{name} answered with the receipt for another message")
        await hooks.reached("document-sent-not-recorded")
        return receipt

    async def signed(self, envelope: Envelope, content: Told) -> bytes:
        """A message as it goes over the wire."""
        return await asyncio.to_thread(lambda: self._signer.sign(xml.write_message(envelope, content)))

    async def open(self, content_type: str, body: AsyncIterable[bytes], address: str) -> Opened:
        """A message of a partner, which came from this address, verified. Raises NotTaken.

        `address`: of the peer, or of whom it names in X-Forwarded-For where FORWARDED_ALLOW_IPS says that the peer is a proxy
        of ours. Without that setting only a proxy on this machine is believed.
        """
        if content_type.partition(";")[0].strip().lower() not in (XML_TYPE, "text/xml"):
            raise NotTaken(415, "content_type_not_xml", f"Send messages as {XML_TYPE}.")
        raw = await self._opener.receive(body, self.max_message_bytes, address)
        try:
            return await self.opened(raw, address)
        finally:
            self._opener.done_with(len(raw), address)

    async def opened(self, raw: bytes, address: str = "") -> Opened:
        """A whole message, verified; of another than a partner it is not even read. Raises NotTaken."""
        claimed = claimed_country(raw)
        partner = self._partners.find(claimed)
        if claimed and partner is None:
            raise NotTaken(403, "sender_unknown", "The sender is no partner of this gateway.")
        contents = await self._opener.open(raw, partner.certificate if partner else None, (claimed, address))
        if partner is None or contents.envelope.sender != partner.country:
            raise NotTaken(403, "signature_not_valid", "The message is not trusted: it names another sender where signed.")
        if contents.envelope.receiver != self.country:
            raise NotTaken(400, "receiver_is_another", f"This is the gateway of {self.country}.")
        return Opened(contents, partner, raw)

    def _must_not_be_resting(self, partner: Partner) -> None:
        absence = self._away.get(partner.country)
        if absence is None:
            return
        if monotonic() < absence.until:
            raise PartnerAway(absence.reason)
        absence.until = monotonic() + PATIENCE  # this message tries for all

    async def _post(self, partner: Partner, name: str, signed: bytes) -> bytes:
        headers = {"content-type": XML_TYPE, "accept-encoding": "identity"} | (
            {"traceparent": trace} if (trace := traceparent()) else {}
        )
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self._client.stream("POST", partner.address, content=signed, headers=headers) as answer,
            ):
                if answer.status_code != 200:
                    away = answer.status_code >= 500 or answer.status_code == 429
                    said = f"{name} answered {answer.status_code} {answer.reason_phrase}".rstrip()
                    raise PartnerAway(said) if away else Unavailable(said)
                return await _read_at_most(
                    self.max_message_bytes, answer.aiter_raw()
                )  # never unpacked: a little can unpack to very much
        except TimeoutError as error:
            raise PartnerAway(f"{name} did not answer within {PATIENCE:.0f} s") from error
        except _TooLong as error:
            raise Unavailable(f"{name} answered with more than {self.max_message_bytes} bytes") from error
        except httpx.HTTPError as error:
            raise PartnerAway(f"{name} cannot be reached ({type(error).__name__})") from error


class _TooLong(Exception):
    """More came than is allowed."""


async def _read_at_most(limit: int, chunks: AsyncIterable[bytes]) -> bytes:
    read = bytearray()
    async for chunk in chunks:
        read += chunk
        if len(read) > limit:
            raise _TooLong()
    return bytes(read)


def http_client(tls: ssl.SSLContext) -> httpx.AsyncClient:
    """A client that trusts only what the context trusts, follows nothing and waits for nobody for ever."""
    return httpx.AsyncClient(verify=tls, trust_env=False, follow_redirects=False, timeout=httpx.Timeout(PATIENCE, connect=5.0))
