"""The event path of a service on PostgreSQL: as `event_path`, with a server that this measure starts and that syncs commits."""

import asyncio

from bench.figures import Conditions, Figure, LeftOut
from bench.measures.event_path import figure_of
from tests.support.postgres import NoPostgres, Postgres

FIGURES = ("event_path_postgresql",)
SETTINGS = "-c shared_buffers=128MB"
"""Besides the defaults of PostgreSQL: every commit is synced."""


async def measure(conditions: Conditions) -> list[Figure]:
    """Measures both on PostgreSQL. Raises LeftOut without its programs."""
    try:
        server = await asyncio.to_thread(Postgres, SETTINGS)
    except NoPostgres as reason:
        raise LeftOut(str(reason)) from None
    try:
        ours, floors = (server.url(server.new_database()) for _ in range(2))
        return [await figure_of("event_path_postgresql", conditions, ours, floors)]
    finally:
        server.remove()
