"""The exchange of messages and receipts with partner gateways over HTTPS."""

import asyncio
from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from services.gateway.domain import CLOCK_TOLERANCE, FAILURES_IN_A_ROW
from services.gateway.wire import xml
from services.gateway.wire.evidence import Evidence, evidence_of, outcome_of
from services.gateway.wire.messages import Envelope, Kind, Receipt, WireModel
from services.gateway.wire.opening import Contents, MessageRejected, Opener, claimed_country
from services.gateway.wire.partners import Partner, PartnerNotConfigured, Partners
from services.gateway.wire.schemas import SchemaViolated, must_be_valid
from services.gateway.wire.signature import Signer
from services.gateway.wire.tls import TIMEOUT, Connections, is_expired
from shared import hooks
from shared.observability.tracing import traceparent
from shared.refusals import Refused, Unavailable
from shared.xml.layout import VERSIONS, NotInVersion

XML_TYPE = "application/xml"
REPLAY_WINDOW = timedelta(hours=24)
"""How old a message may be (ours). A sender signs a message again for each attempt."""
RETRY_PAUSE = 5.0
"""Seconds without requests to an unavailable partner. Then one message is sent as a probe, and the others wait."""


class ContentUnreadable(Refused):
    code = "document_unreadable"


class NotSendable(Refused):
    """The message does not have the form of the schema. An operator must check it."""

    code = "message_not_sendable"


class PartnerUnavailable(Unavailable):
    """A partner's gateway cannot be reached, is too slow, or reports a failure."""


class PartnerPaused(PartnerUnavailable):
    """No request was sent, because the partner was unavailable a moment ago."""


@dataclass(frozen=True)
class Attempt:
    """One attempt to send a message: its receipt, or the reason why there is none.

    `answers`: whether the partner's gateway accepts messages; None if this attempt does not decide it. `evidence`: the message
    and the receipt as they were exchanged.
    """

    country: str
    outcome: Receipt | Unavailable
    answers: bool | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass
class Outage:
    """The reason why a partner is unavailable, and until when (monotonic seconds) no request is sent to it."""

    reason: str
    until: float


@dataclass(frozen=True)
class Opened:
    """A message with a verified signature. `raw`: the received bytes, which are stored as evidence."""

    contents: Contents
    partner: Partner
    raw: bytes

    @property
    def envelope(self) -> Envelope:
        """The envelope of the message."""
        return self.contents.envelope

    def content(self) -> WireModel:
        """The content of the message. Raises ContentUnreadable, with the malformed fields for the sender."""
        if self.contents.content is None:
            raise ContentUnreadable(malformed=self.contents.malformed)
        return self.contents.content


class Exchange:
    """The gateway of this country: it sends messages to partners and verifies messages from partners."""

    def __init__(
        self,
        country: str,
        partners: Partners,
        signer: Signer,
        connections: Connections,
        max_message_bytes: int,
        retry_pause: float = RETRY_PAUSE,
        opener: Opener | None = None,
    ) -> None:
        self.country = country
        self.max_message_bytes = max_message_bytes
        self._retry_pause = retry_pause
        self._outages: dict[str, Outage] = {}
        self._failures: dict[str, int] = {}
        self._partners = partners
        self._signer = signer
        self._connections = connections
        self._opener = opener or Opener()

    def envelope(self, message_id: UUID, kind: Kind, receiver: str, reference: str, number: int, at: datetime) -> Envelope:
        """The envelope of a message from this gateway."""
        return Envelope(
            message_id=message_id,
            kind=kind,
            sender=self.country,
            receiver=receiver,
            sent_at=at,
            reference=reference,
            number=number,
        )

    @property
    def partners(self) -> Partners:
        """The partner directory."""
        return self._partners

    @property
    def signer(self) -> Signer:
        """The certificate and key that this gateway signs with."""
        return self._signer

    @property
    def pinned(self) -> list[x509.Certificate]:
        """The TLS certificates of all partners."""
        return [each for partner in self._partners.rows.values() for each in partner.tls_certificates]

    async def aclose(self) -> None:
        """Closes the connections to partners, and ends the processes that open messages."""
        await self._connections.aclose()
        await self._opener.aclose()

    async def send(self, envelope: Envelope, content: WireModel) -> Receipt:
        """Sends a message to the receiver's gateway and returns its receipt.

        Raises Unavailable unless the answer is a genuine receipt for this message. The message is then sent again later.
        """
        receipt, _, _ = await self._exchange(envelope, content)
        return receipt

    async def _exchange(self, envelope: Envelope, content: WireModel) -> tuple[Receipt, bytes, Opened]:
        """What `send` does. Returns the receipt, the signed message, and the opened answer."""
        day = envelope.sent_at.date()
        partner = self._partners.by_country(envelope.receiver, day)
        name = f"the gateway of {self._partners.name_of(partner.country)}"
        version = partner.version_on(day)
        if version is None:
            raise PartnerNotConfigured(f"{name} speaks no version of the messages today")
        self._must_be_available(partner)
        try:
            signed = await self.signed(envelope, content, version)
        except NotInVersion as error:
            raise PartnerNotConfigured(f"{name} speaks version {version}, which has no {', '.join(error.fields)}") from error
        try:
            answer = await self._post(partner, name, signed)
        except PartnerUnavailable as error:
            self._outages[partner.country] = Outage(str(error), monotonic() + self._retry_pause)
            raise
        self._outages.pop(partner.country, None)
        try:
            opened = await self.opened(answer)
            receipt = opened.content()
        except (MessageRejected, ContentUnreadable) as error:
            raise Unavailable(f"{name} gave an answer that cannot be trusted: {error.detail}") from error
        if opened.partner is not partner or not isinstance(receipt, Receipt):
            raise Unavailable(f"{name} did not answer with its receipt")
        about = (receipt.in_reply_to, opened.envelope.reference, opened.envelope.number)
        if about != (envelope.message_id, envelope.reference, envelope.number):
            raise Unavailable(f"{name} answered with the receipt for another message")
        await hooks.reached("document-sent-not-recorded")
        return receipt, signed, opened

    async def try_to_send(self, envelope: Envelope, content: WireModel) -> Attempt:
        """Sends a message as `send` does. It returns the reason if there is no receipt, and counts failures in a row."""
        country = envelope.receiver
        try:
            receipt, signed, opened = await self._exchange(envelope, content)
        except (PartnerNotConfigured, PartnerPaused) as error:
            return Attempt(country, error)
        except Unavailable as error:
            self._failures[country] = failures = self._failures.get(country, 0) + 1
            # not at every failure: another replica may reach the partner, and the state would change at each attempt
            return Attempt(country, error, None if failures % FAILURES_IN_A_ROW else False)
        self._failures.pop(country, None)
        certificate, outcome = self._signer.certificate.public_bytes(Encoding.DER), outcome_of(receipt)
        sent = evidence_of(country, envelope, signed, certificate, outcome, ours=True)
        received = evidence_of(country, opened.envelope, opened.raw, opened.contents.certificate)
        return Attempt(country, receipt, True, (sent, received))

    async def signed(self, envelope: Envelope, content: WireModel, version: int = VERSIONS[-1]) -> bytes:
        """The signed XML of a message. Raises NotSendable, and NotInVersion if this version cannot express it."""
        return await asyncio.to_thread(self._signed, envelope, content, version)

    def _signed(self, envelope: Envelope, content: WireModel, version: int) -> bytes:
        message = xml.write_message(envelope, content, version)
        try:
            must_be_valid(message, envelope.kind, version)
        except SchemaViolated as error:
            raise NotSendable(places=str(error)) from error
        return self._signer.sign(message)

    async def open(self, content_type: str, body: AsyncIterable[bytes], address: str, client: bytes | None) -> Opened:
        """Receives a message of a partner and verifies it. Raises MessageRejected.

        `client`: the TLS certificate (DER) that the peer presented. `address`: the IP address of the peer. Behind a proxy that
        FORWARDED_ALLOW_IPS permits, it is the address in X-Forwarded-For. Without that setting no proxy is permitted.
        """
        if content_type.partition(";")[0].strip().lower() not in (XML_TYPE, "text/xml"):
            raise MessageRejected(415, "content_type_not_xml", f"Send messages as {XML_TYPE}.")
        presented_by = self._presented_by(client)
        raw = await self._opener.receive(body, self.max_message_bytes, address)
        try:
            opened = await self.opened(raw, address)
            _must_be_current(opened.envelope.sent_at)
            if opened.partner not in presented_by:
                raise MessageRejected(403, "client_certificate_of_another", "The TLS certificate is that of another partner.")
            return opened
        finally:
            self._opener.release(len(raw), address)

    def _presented_by(self, client: bytes | None) -> list[Partner]:
        """The partners that have pinned this TLS certificate. Raises MessageRejected if there is none."""
        pins = self._partners.pins.get(client or b"", [])
        found = [partner for partner, certificate in pins if not is_expired(certificate)]
        if not found:
            code = "client_certificate_unknown" if client else "client_certificate_missing"
            raise MessageRejected(403, code, "Connect with the TLS certificate that this gateway has pinned.")
        return found

    async def opened(self, raw: bytes, address: str = "") -> Opened:
        """Verifies a complete message. A message that names no partner as sender is not parsed. Raises MessageRejected."""
        claimed = claimed_country(raw)
        partner = self._partners.find(claimed)
        if claimed and partner is None:
            raise MessageRejected(403, "sender_unknown", "The sender is not a partner of this gateway.")
        contents = await self._opener.open(raw, partner.signing_certificates if partner else (), (claimed, address))
        if partner is None or contents.envelope.sender != partner.country:
            raise MessageRejected(
                403, "signature_not_valid", "The message is not trusted: its signed part names another sender."
            )
        if contents.envelope.receiver != self.country:
            raise MessageRejected(400, "receiver_is_another", f"This is the gateway of {self.country}.")
        return Opened(contents, partner, raw)

    def _must_be_available(self, partner: Partner) -> None:
        outage = self._outages.get(partner.country)
        if outage is None:
            return
        if monotonic() < outage.until:
            raise PartnerPaused(outage.reason)
        outage.until = monotonic() + TIMEOUT  # this message is the probe; the others wait

    async def _post(self, partner: Partner, name: str, signed: bytes) -> bytes:
        headers = {"content-type": XML_TYPE, "accept-encoding": "identity"} | (
            {"traceparent": trace} if (trace := traceparent()) else {}
        )
        client = self._connections.to(partner.country, partner.tls_certificates)
        try:
            async with (
                asyncio.timeout(TIMEOUT),
                client.stream("POST", partner.address, content=signed, headers=headers) as answer,
            ):
                if answer.is_redirect:
                    raise Unavailable(f"{name} redirects to another address, which is not followed")
                if answer.status_code != 200:
                    unavailable = answer.status_code >= 500 or answer.status_code == 429
                    reason = f"{name} answered {answer.status_code} {answer.reason_phrase}".rstrip()
                    raise PartnerUnavailable(reason) if unavailable else Unavailable(reason)
                # never decompressed: a few bytes can decompress to very many
                return await _read_at_most(self.max_message_bytes, answer.aiter_raw())
        except TimeoutError as error:
            raise PartnerUnavailable(f"{name} did not answer within {TIMEOUT:.0f} s") from error
        except _TooLong as error:
            raise Unavailable(f"{name} answered with more than {self.max_message_bytes} bytes") from error
        except httpx.HTTPError as error:
            raise PartnerUnavailable(f"{name} cannot be reached ({type(error).__name__})") from error


def _must_be_current(sent_at: datetime) -> None:
    """Refuses a message that was made long ago or in the future: a copy of a former message has its old time."""
    now = datetime.now(UTC)
    if not now - REPLAY_WINDOW <= sent_at <= now + CLOCK_TOLERANCE:
        raise MessageRejected(403, "message_not_current", "The message was made too long ago, or in the future: sign it again.")


class _TooLong(Exception):
    """The answer has more bytes than allowed."""


async def _read_at_most(limit: int, chunks: AsyncIterable[bytes]) -> bytes:
    read = bytearray()
    async for chunk in chunks:
        read += chunk
        if len(read) > limit:
            raise _TooLong()
    return bytes(read)
