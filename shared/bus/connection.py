"""Connections to NATS: addresses, headers, reply inboxes and TLS."""

import logging
import ssl
from pathlib import Path
from typing import Any

from nats import errors
from nats.aio.client import Client as NatsClient

from shared.bus.nats_client import SafeClient
from shared.contracts.index import ASKERS, OPERATOR
from shared.contracts.messages import OperatorRequest, Request
from shared.observability.logs import error_text

log = logging.getLogger(__name__)

BusError = errors.Error
NoRespondersError = errors.NoRespondersError
Client = NatsClient

TOKEN_HEADER = "Actor-Token"  # noqa: S105
STEP_UP_HEADER = "Co-Step-Up"
TRACE_HEADER = "traceparent"
FROM_HEADER = "Co-From"
EVENT_ID_HEADER = "Nats-Msg-Id"
KEY_HEADER = "Co-Key"
SIGNATURE_HEADER = "Co-Signature"

PING_INTERVAL = 5
"""Seconds between pings. After two unanswered pings the client reconnects."""


def servers_in(addresses: str) -> list[str]:
    """The addresses of the servers, from a comma-separated list."""
    return [address.strip() for address in addresses.split(",")]


def inbox_prefix(user: str) -> str:
    """The prefix of the subjects on which a user receives replies; no other user may subscribe there."""
    return f"_INBOX_{user}"


def client_inboxes(request: type[Request]) -> tuple[str, ...]:
    """The prefixes of reply subjects that a request may have. A request with another reply subject gets no reply."""
    users = (OPERATOR,) if issubclass(request, OperatorRequest) else ASKERS
    return tuple(f"{inbox_prefix(user)}." for user in users)


def tls_context(ca_file: Path | None) -> ssl.SSLContext | None:
    """A TLS context that trusts this CA only; None without a CA."""
    return ssl.create_default_context(cafile=str(ca_file)) if ca_file else None


async def log_error(error: Exception) -> None:
    """Logs an error of the connection; nats-py reconnects."""
    log.warning("the bus reports an error", extra={"error": error_text(error)})


async def connect(user: str, url: str, seed: str, ca_file: Path | None = None, **options: Any) -> Client:
    """A nats-py connection for clients: the portal, `co` and the tests."""
    defaults: dict[str, Any] = {"error_cb": log_error, "reconnect_time_wait": 0.5}
    client = SafeClient()
    await client.connect(
        servers_in(url),
        name=user,
        nkeys_seed_str=seed,
        inbox_prefix=inbox_prefix(user).encode(),
        tls=tls_context(ca_file),
        max_reconnect_attempts=-1,
        ping_interval=PING_INTERVAL,
        **defaults | options,
    )
    return client
