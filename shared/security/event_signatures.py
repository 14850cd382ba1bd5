"""Signatures of events: the announcing service signs, every consumer verifies (decision 0018).

The service signs subject, event id and body with its nkey on the bus (Ed25519). Header `Co-Key`: the public nkey. Header
`Co-Signature`: the signature in base64.
"""

import base64
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import nkeys
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from shared.bus.connection import EVENT_ID_HEADER, KEY_HEADER, SIGNATURE_HEADER, Client
from shared.bus.nkey_signatures import is_signed_with
from shared.bus.stream import StreamMessage, messages_in_stream
from shared.contracts.index import events, owner_of
from shared.observability import metrics
from shared.observability.logs import error_text

log = logging.getLogger(__name__)

_FILE: TypeAdapter[dict[str, dict[str, AwareDatetime | None]]] = TypeAdapter(dict[str, dict[str, AwareDatetime | None]])


class NotGenuine(Exception):
    """A message of the stream without a valid signature of its owner. The text gives the reason."""


class EventSigner:
    """Signs events with the nkey of one service."""

    def __init__(self, key: nkeys.KeyPair) -> None:
        self._key = key
        self._public_key = key.public_key.decode()

    def headers(self, subject: str, event_id: UUID, body: bytes) -> dict[str, str]:
        """The headers of an event: its id, the public key and the signature."""
        signature = base64.b64encode(self._key.sign(signed_text(subject, event_id, body))).decode()
        return {EVENT_ID_HEADER: str(event_id), KEY_HEADER: self._public_key, SIGNATURE_HEADER: signature}


class EventKeys:
    """The public keys of the services, from a file that the operator distributes. A changed file is read again.

    The file is JSON: `{"service": {"nkey": until}}`. `until` is null for the present key. An event that the stream stored
    after `until` is not valid with that key.
    """

    def __init__(self, file: Path) -> None:
        """Reads the file. Raises OSError and ValueError."""
        self._file = file
        self._owners = {event.subject: owner_of(event) for event in events()}
        self._changed_at = file.stat().st_mtime_ns
        self._keys = _FILE.validate_json(file.read_bytes())

    def must_know(self, service: str, key: str) -> None:
        """Raises ValueError unless this is the present key of the service. Else consumers would skip its events."""
        if self._keys.get(service, {}).get(key, False) is not None:
            raise ValueError(f"{key} is not in it as the present key of {service}")

    def verified_id(self, subject: str, headers: Mapping[str, str] | None, body: bytes, stored_at: datetime) -> UUID:
        """Returns the id of an event. Raises NotGenuine unless the service that owns the subject has signed it.

        `stored_at`: the instant at which the stream stored it, from the bus.
        """
        self._reload_if_changed()
        present = headers or {}
        try:
            event_id = UUID(present[EVENT_ID_HEADER])
        except (KeyError, ValueError):
            raise NotGenuine("it has no valid id") from None
        owner = self._owners.get(subject)
        if owner is None:
            raise NotGenuine("its subject is not the subject of an event")
        key, signature = present.get(KEY_HEADER), present.get(SIGNATURE_HEADER)
        if not key or not signature:
            raise NotGenuine("it is not signed")
        until = self._keys.get(owner, {}).get(key, False)
        if until is False:
            raise NotGenuine(f"its key is not a key of {owner}")
        if isinstance(until, datetime) and stored_at > until:
            raise NotGenuine(f"its key was replaced before, at {until.isoformat()}")
        if not is_signed_with(key, _decoded(signature), signed_text(subject, event_id, body)):
            raise NotGenuine("its signature is not valid for this subject, id and body")
        return event_id

    def genuine_id(self, message: StreamMessage) -> UUID | None:
        """Returns the id of a delivered event; None if it is not genuine. Then it counts and logs it."""
        try:
            return self.verified_id(message.subject, message.headers, message.data, message.metadata.timestamp)
        except NotGenuine as error:
            skip_message(message.subject, message.metadata.sequence.stream, error)
            return None

    def _reload_if_changed(self) -> None:
        try:
            changed_at = self._file.stat().st_mtime_ns
            if changed_at != self._changed_at:
                self._keys = _FILE.validate_json(self._file.read_bytes())
                self._changed_at = changed_at
        except (OSError, ValidationError) as error:
            log.warning("the file of event keys cannot be read again", extra={"error": error_text(error)})


@dataclass(frozen=True)
class SkippedMessage:
    """A message of the stream that is not genuine, and the reason."""

    sequence: int
    stored_at: datetime
    subject: str
    why: str


async def examine_stream(client: Client, keys: EventKeys) -> tuple[set[UUID], list[SkippedMessage]]:
    """The ids of the genuine events in the stream, and the messages that are not genuine."""
    ids, others = set(), []
    async for message in messages_in_stream(client):
        try:
            ids.add(keys.verified_id(message.subject, message.headers, message.data, message.stored_at))
        except NotGenuine as error:
            others.append(SkippedMessage(message.sequence, message.stored_at, message.subject, str(error)))
    return ids, others


def skip_message(subject: str, sequence: int, error: NotGenuine) -> None:
    """Counts and logs a message of the stream that is not genuine."""
    log.error(
        "a message of the stream was skipped; see `co bus check`",
        extra={"subject": subject, "sequence": sequence, "error": str(error)},
    )
    metrics.events.labels(subject, "not_genuine").inc()


def signed_text(subject: str, event_id: UUID, body: bytes) -> bytes:
    """The bytes that the signature of an event covers."""
    return f"co-event-1\n{subject}\n{event_id}\n".encode() + body


def event_keys_json(keys: Mapping[str, Mapping[str, datetime | None]]) -> bytes:
    """The content of the file of keys."""
    plain: Any = {service: dict(its_keys) for service, its_keys in keys.items()}
    return _FILE.dump_json(plain, indent=1)


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except ValueError:
        raise NotGenuine("its signature is not base64") from None
