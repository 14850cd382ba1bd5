"""The checks before a replica works: clocks, database and bus. They give the reason why it waits as a sentence."""

import json
import os
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.bus.connection import BusError, Client, NoRespondersError
from shared.bus.stream import NO_JETSTREAM, NOT_FOR_ACCOUNT, PUBLISH_TIMEOUT, STREAM, about_consumer_subject
from shared.clock import Clock
from shared.database.engine import Database, is_transient

MAX_CLOCK_OFFSET = timedelta(seconds=30)
"""How much the clock of a replica may differ from others when it starts. Tokens and leases last minutes, so a larger difference
would make them expire at once. Clocks with NTP differ by milliseconds."""

REFUSALS = ("28", "3D000", "42501")
"""The SQLSTATEs of PostgreSQL for a refused user, password or database, and for a missing privilege."""
SEED_REFUSED = "it refuses this service's seed; add its public key there, or correct CO_NATS_SEED_FILE and start again"
NO_STREAM, NO_CONSUMER = 10059, 10014


class NotYet(Exception):
    """The start has to wait. The message names the condition and, if known, what to do."""


def waiting_for(what: str, error: Exception) -> str | None:
    """The reason why a start waits, from an error of the database or the bus; None if waiting cannot help."""
    if isinstance(error, NotYet):
        return str(error)
    reason = _database_reason(error) if isinstance(error, DBAPIError) else _bus_reason(error)
    return reason and f"{what}: {reason}"


def _database_reason(error: DBAPIError) -> str | None:
    detail, state = str(error.orig).rpartition(">: ")[2].splitlines()[0], str(getattr(error.orig, "sqlstate", ""))
    if state.startswith(REFUSALS):
        return f"it refuses this service ({detail}); correct that there, or correct the settings and start again"
    return f"it cannot be used ({detail})" if is_transient(error) else None


def _bus_reason(error: Exception) -> str | None:
    if is_unknown_to_bus(error):
        return SEED_REFUSED
    if isinstance(error, ssl.SSLError):
        return f"its certificate is not accepted ({getattr(error, 'verify_message', None) or error.reason})"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, OSError):
        number = error.errno or 0
        detail = os.strerror(number) if number > 0 else error.strerror or str(error) or type(error).__name__
        return f"it cannot be reached ({detail})" if is_transient(error) else None
    detail = getattr(error, "description", None) or str(error).removeprefix("nats: ") or type(error).__name__
    return f"it cannot be used ({detail})"


def is_unknown_to_bus(error: Exception) -> bool:
    """Whether the bus does not know the user of a seed."""
    return "authorization violation" in str(error).lower()


async def check_clock(clock: Clock, whose: str, read_time: Callable[[], Awaitable[datetime | None]]) -> None:
    """Compares this clock with that of the database or the bus. Raises NotYet if they differ too much."""
    before = clock.now()
    other = await read_time()
    if other is None:
        return
    ahead, behind = before - other, other - clock.now()  # independent of how long `read_time` took
    if max(ahead, behind) > MAX_CLOCK_OFFSET:
        off = f"{ahead.total_seconds():.0f} s ahead" if ahead > behind else f"{behind.total_seconds():.0f} s behind"
        raise NotYet(f"clocks that agree: this machine's is {off} of the {whose}'s; set both by NTP")


async def time_of_database(database: Database) -> datetime | None:
    """The time of the database; None for SQLite, which has no clock of its own."""
    if database.dialect == "sqlite":
        return None
    async with database.reading() as session:
        now: datetime = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return now


async def time_of_bus(client: Client, service: str) -> datetime | None:
    """The time of the bus, which it sends with the state of a consumer. Raises NotYet if the bus is not set up."""
    try:
        answer = json.loads((await client.request(about_consumer_subject(service), timeout=PUBLISH_TIMEOUT)).data)
    except NoRespondersError:
        raise NotYet(f"JetStream: {NO_JETSTREAM}") from None
    if error := answer.get("error"):
        missing = {
            NO_STREAM: f"the stream {STREAM}: the bus has none, run `co bus setup`",
            NO_CONSUMER: f"the consumer {service}: the stream has none, run `co bus setup`",
            NOT_FOR_ACCOUNT: f"JetStream: {NO_JETSTREAM}",
        }
        raise NotYet(missing.get(error.get("err_code"), f"the stream {STREAM}: the bus reports {error.get('description')!r}"))
    return datetime.fromisoformat(answer["ts"]) if "ts" in answer else None


WAITED_FOR = (NotYet, DBAPIError, BusError, OSError)
