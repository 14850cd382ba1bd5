"""A service's own connection to the bus, by FastStream."""

import logging

from faststream.nats import NatsBroker, NatsMessage
from faststream.nats.security import NatsNKey

from shared.bus import PING_INTERVAL, inbox_prefix, log_error, servers_in, tls_context
from shared.settings import Settings

log = logging.getLogger(__name__)


async def _whole_message(message: NatsMessage) -> NatsMessage:
    return message


async def _log_back() -> None:
    log.info("connected to the bus again")


def broker_of(service: str, settings: Settings) -> NatsBroker:
    """The FastStream broker of a service: its own user and inbox, reconnecting for ever, no log line per message."""
    seed = settings.nats_seed_file.read_text().strip()
    return NatsBroker(
        servers_in(settings.nats_url),
        name=service,
        security=NatsNKey.from_seed(seed, ssl_context=tls_context(settings.nats_ca_file)),
        inbox_prefix=inbox_prefix(service),
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        ping_interval=PING_INTERVAL,
        apply_types=False,
        decoder=_whole_message,
        logger=None,
        error_cb=log_error,
        reconnected_cb=_log_back,
        graceful_timeout=15.0,
    )
