"""A service's own connection to the bus, by FastStream."""

import binascii
import logging
from collections.abc import Awaitable, Callable
from ssl import SSLError
from typing import Any

import nkeys
from faststream.nats import NatsBroker, NatsMessage
from faststream.nats.security import NatsNKey

from shared.bus.connection import PING_INTERVAL, inbox_prefix, servers_in, tls_context
from shared.settings import Settings, SettingsWrong

log = logging.getLogger(__name__)


class _Broker(NatsBroker):
    """FastStream gives a connection up when the bus refuses the seed; we wait until it is made known there."""

    def _log_connection_broken(self, error_cb: Any = None) -> Any:
        return error_cb


async def _whole_message(message: NatsMessage) -> NatsMessage:
    return message


async def _log_back() -> None:
    log.info("connected to the bus again")


def broker_of(service: str, settings: Settings, on_error: Callable[[Exception], Awaitable[None]]) -> NatsBroker:
    """The FastStream broker of a service: its own user and inbox, reconnecting for ever, no log line per message.

    Raises SettingsWrong where a file that it is told of does not hold what it should.
    """
    try:
        seed = settings.nats_seed_file.read_text().strip()
        nkeys.from_seed(bytearray(seed.encode()))
    except (nkeys.NkeysError, binascii.Error, ValueError):
        raise SettingsWrong.because("CO_NATS_SEED_FILE (it holds no seed of an nkey)") from None
    try:
        tls = tls_context(settings.nats_ca_file)
    except SSLError:
        raise SettingsWrong.because("CO_NATS_CA_FILE (it holds no certificate)") from None
    return _Broker(
        servers_in(settings.nats_url),
        name=service,
        security=NatsNKey.from_seed(seed, ssl_context=tls),
        inbox_prefix=inbox_prefix(service),
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        ping_interval=PING_INTERVAL,
        apply_types=False,
        decoder=_whole_message,
        logger=None,
        error_cb=on_error,
        reconnected_cb=_log_back,
        graceful_timeout=15.0,
    )
