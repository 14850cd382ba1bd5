"""nats-py's client, for a bus with attackers among its users: inboxes are secret, and no message stops the reading."""

import logging
from secrets import token_hex
from typing import Any

from nats.aio.client import Client
from nats.nuid import NUID

log = logging.getLogger(__name__)


class _RandomTokens(NUID):
    """Names of inboxes. nats-py adds a constant to the former name, so a service could compute the inbox of another request.

    The bus does not check reply subjects. Through a known inbox a service could let the server send a wrong reply.
    """

    def next(self) -> bytearray:
        return bytearray(token_hex(11).encode())  # 22 characters, as nats-py expects


class SafeClient(Client):
    """A client of the bus. nats-py stops reading for 15 seconds at a message that it cannot decode; this one does not."""

    def __init__(self) -> None:
        super().__init__()
        self._nuid = _RandomTokens()

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        """The headers of a message; none if they are malformed."""
        try:
            return await super()._process_headers(headers)
        except (IndexError, UnicodeDecodeError):
            return None

    def _build_message(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: dict[str, str] | None) -> Any:
        """The message; None, which skips it, if its subject or its reply subject is not UTF-8."""
        try:
            return super()._build_message(sid, subject, reply, data, headers)
        except UnicodeDecodeError:
            log.warning("a message with a malformed subject was skipped")
            return None
