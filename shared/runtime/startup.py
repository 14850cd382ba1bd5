"""What a replica looks at before it works: the clocks, the bus, and in plain words what it has to wait for."""

import json
import os
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.bus.stream import NO_JETSTREAM, NOT_FOR_ACCOUNT, PUBLISH_TIMEOUT, STREAM, about_consumer_subject
from shared.clock import Clock
from shared.database.engine import Database, is_transient

MAX_CLOCK_OFFSET = timedelta(seconds=30)
"""By how much a replica's clock may differ from others' when it starts: tokens last minutes and leases a minute, so that with
more than this what one replica has just given is over for the next; machines that are set by NTP differ by milliseconds."""

REFUSALS = ("28", "3D000", "42501")
"""How PostgreSQL says that it will not have this user, password or database, or gives the user no right."""
SEED_REFUSED = "it refuses this service's seed; make it known there, or mend CO_NATS_SEED_FILE and start again"
NO_STREAM, NO_CONSUMER = 10059, 10014
"""Error codes of JetStream."""


class NotYet(Exception):
    """A start has to wait; the message says for what and, where it can be said, what to do."""


def waiting_for(what: str, error: Exception) -> str | None:
    """What a start waits for, as far as an error of the database or the bus tells; None where waiting would be in vain."""
    if isinstance(error, NotYet):
        return str(error)
    why = _why_no_database(error) if isinstance(error, DBAPIError) else _why_no_answer(error)
    return why and f"{what}: {why}"


def _why_no_database(error: DBAPIError) -> str | None:
    said, state = str(error.orig).rpartition(">: ")[2].splitlines()[0], str(getattr(error.orig, "sqlstate", ""))
    if state.startswith(REFUSALS):
        return f"it refuses this service ({said}); mend that there, or the settings and start again"
    return f"it cannot be used ({said})" if is_transient(error) else None


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
    """Asks for another clock; one that does not tell is not compared. Raises NotYet where this one is off."""
    before = clock.now()
    theirs = await ask()
    if theirs is None:
        return
    ahead, behind = before - theirs, theirs - clock.now()  # however long the answer took
    if max(ahead, behind) > MAX_CLOCK_OFFSET:
        off = f"{ahead.total_seconds():.0f} s ahead" if ahead > behind else f"{behind.total_seconds():.0f} s behind"
        raise NotYet(f"clocks that agree: this machine's is {off} of the {whose}'s; have both set by NTP")


async def time_of_database(database: Database) -> datetime | None:
    """What time it is for a database; SQLite has no clock but this machine's."""
    if database.dialect == "sqlite":
        return None
    async with database.reading() as session:
        told: datetime = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return told


async def time_of_bus(client: Client, service: str) -> datetime | None:
    """What time it is for the bus, which tells it with the state of a consumer. Raises NotYet where the bus is not set up."""
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


WAITED_FOR = (NotYet, DBAPIError, NatsError, OSError)
"""What a start waits for, where `waiting_for` has words for it."""
