"""Checks before a replica works: the clocks, the database and the bus, and in plain words what it waits for."""

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
"""How much the clock of a replica may differ from others when it starts. Tokens last minutes and leases one minute, so a larger
difference would make them expire at once. Machines with NTP differ by milliseconds."""

REFUSALS = ("28", "3D000", "42501")
"""The SQLSTATEs of PostgreSQL for a refused user, password or database, and for a missing right."""
SEED_REFUSED = "it refuses this service's seed; add its public key there, or correct CO_NATS_SEED_FILE and start again"
NO_STREAM, NO_CONSUMER = 10059, 10014


class NotYet(Exception):
    """A start has to wait; the message says for what and, if known, what to do."""


def waiting_for(what: str, error: Exception) -> str | None:
    """What a start waits for, by an error of the database or the bus; None where waiting cannot help."""
    if isinstance(error, NotYet):
        return str(error)
    why = _why_no_database(error) if isinstance(error, DBAPIError) else _why_no_answer(error)
    return why and f"{what}: {why}"


def _why_no_database(error: DBAPIError) -> str | None:
    detail, state = str(error.orig).rpartition(">: ")[2].splitlines()[0], str(getattr(error.orig, "sqlstate", ""))
    if state.startswith(REFUSALS):
        return f"it refuses this service ({detail}); correct that there, or correct the settings and start again"
    return f"it cannot be used ({detail})" if is_transient(error) else None


def _why_no_answer(error: Exception) -> str | None:
    if is_unknown_to_bus(error):
        return SEED_REFUSED
    if isinstance(error, ssl.SSLError):
        return f"its certificate is not accepted ({getattr(error, 'verify_message', None) or error.reason})"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, OSError):
        number = error.errno or 0
        said = os.strerror(number) if number > 0 else error.strerror or str(error) or type(error).__name__
        return f"it cannot be reached ({said})" if is_transient(error) else None
    said = getattr(error, "description", None) or str(error).removeprefix("nats: ") or type(error).__name__
    return f"it cannot be used ({said})"


def is_unknown_to_bus(error: Exception) -> bool:
    """Whether the bus does not know the user of a seed."""
    return "authorization violation" in str(error).lower()


async def check_clock(clock: Clock, whose: str, ask: Callable[[], Awaitable[datetime | None]]) -> None:
    """Compares this clock with another, if that one tells its time. Raises NotYet where they differ too much."""
    before = clock.now()
    theirs = await ask()
    if theirs is None:
        return
    ahead, behind = before - theirs, theirs - clock.now()  # independent of how long the answer took
    if max(ahead, behind) > MAX_CLOCK_OFFSET:
        off = f"{ahead.total_seconds():.0f} s ahead" if ahead > behind else f"{behind.total_seconds():.0f} s behind"
        raise NotYet(f"clocks that agree: this machine's is {off} of the {whose}'s; set both by NTP")


async def time_of_database(database: Database) -> datetime | None:
    """The time of the database; None for SQLite, which has no clock of its own."""
    if database.dialect == "sqlite":
        return None
    async with database.reading() as session:
        told: datetime = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return told


async def time_of_bus(client: Client, service: str) -> datetime | None:
    """The time of the bus, which it tells with the state of a consumer. Raises NotYet where the bus is not set up."""
    try:
        answer = json.loads((await client.request(about_consumer_subject(service), timeout=PUBLISH_TIMEOUT)).data)
    except NoRespondersError:
        raise NotYet(f"JetStream: {NO_JETSTREAM}") from None
    if error := answer.get("error"):
        wanted = {
            NO_STREAM: f"the stream {STREAM}: the bus has none, run `co bus setup`",
            NO_CONSUMER: f"the consumer {service}: the stream has none, run `co bus setup`",
            NOT_FOR_ACCOUNT: f"JetStream: {NO_JETSTREAM}",
        }
        raise NotYet(wanted.get(error.get("err_code"), f"the stream {STREAM}: the bus says that {error.get('description')}"))
    return datetime.fromisoformat(answer["ts"]) if "ts" in answer else None


WAITED_FOR = (NotYet, DBAPIError, BusError, OSError)
