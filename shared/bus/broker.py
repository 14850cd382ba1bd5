"""The broker of a service: its connection to the bus, requests and replies. It uses FastStream (decision 0020)."""

import asyncio
import binascii
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ssl import SSLError
from typing import Any

import nkeys
from faststream import exceptions
from faststream.nats import NatsBroker, NatsMessage
from faststream.nats.security import NatsNKey
from nats.errors import Error as NatsError

from shared.bus.connection import PING_INTERVAL, inbox_prefix, servers_in, tls_context
from shared.bus.nats_client import SafeClient
from shared.settings import Settings, SettingsWrong

log = logging.getLogger(__name__)

RequestMessage = NatsMessage
SkipMessage = exceptions.SkipMessage


class _Broker(NatsBroker):
    """FastStream stops when the bus refuses the seed. This broker reconnects until the bus accepts it, with a `SafeClient`."""

    def _log_connection_broken(self, error_cb: Any = None) -> Any:
        return error_cb

    async def _connect(self) -> SafeClient:
        client = SafeClient()
        await client.connect(**self._connection_kwargs)
        self.config.connect(client)
        return client


async def _undecoded(message: RequestMessage) -> RequestMessage:
    return message


async def _log_reconnected() -> None:
    log.info("connected to the bus again")


def broker_of(service: str, settings: Settings, on_error: Callable[[Exception], Awaitable[None]]) -> NatsBroker:
    """The FastStream broker of a service: its own user and inbox, endless reconnection, no log line per message.

    Raises SettingsWrong if the seed file or the CA file is malformed.
    """
    try:
        seed = settings.nats_seed_file.read_text().strip()
        nkeys.from_seed(bytearray(seed.encode()))
    except (nkeys.NkeysError, binascii.Error, ValueError):
        raise SettingsWrong.because("CO_NATS_SEED_FILE (it contains no nkey seed)") from None
    try:
        tls = tls_context(settings.nats_ca_file)
    except SSLError:
        raise SettingsWrong.because("CO_NATS_CA_FILE (it contains no certificate)") from None
    return _Broker(
        servers_in(settings.nats_url),
        name=service,
        security=NatsNKey.from_seed(seed, ssl_context=tls),
        inbox_prefix=inbox_prefix(service),
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        ping_interval=PING_INTERVAL,
        apply_types=False,
        decoder=_undecoded,
        logger=None,
        error_cb=on_error,
        reconnected_cb=_log_reconnected,
        graceful_timeout=15.0,
    )


async def drain(broker: NatsBroker, grace: float) -> None:
    """Unsubscribes from all requests and waits, at most `grace` seconds, until the received ones are handled.

    FastStream's `subscriber.stop()` drops messages that wait for a worker. So this uses its private attributes.
    """
    await asyncio.gather(*(_drain(subscriber, grace) for subscriber in broker.subscribers))


async def _drain(subscriber: Any, grace: float) -> None:
    subscription, subscriber.subscription = subscriber.subscription, None
    if subscription is not None:
        with suppress(NatsError, TimeoutError):
            await asyncio.wait_for(subscription.drain(), 5)
    subscriber.send_stream.close()
    if subscriber.tasks:
        await asyncio.wait(subscriber.tasks, timeout=grace)
