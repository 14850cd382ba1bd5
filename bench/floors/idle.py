"""The floor of a process: a raw nats-py client with a subscription and an open SQLite file, and nothing to do."""

import asyncio
import sqlite3
from typing import Any

from nats.aio.client import Client

from bench.floors import given, run


async def main() -> None:
    """Connects, subscribes and waits. The argument: JSON with `url`, `seed_file`, `user` and `file`."""
    values = given()

    async def ignore(message: Any) -> None:
        pass

    async def serve(client: Client) -> None:
        opened = sqlite3.connect(values["file"], isolation_level=None)
        opened.execute("PRAGMA journal_mode=WAL")
        opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
        await client.subscribe(f"_INBOX_{values['user']}.>", cb=ignore)

    await run(values["url"], values["seed"], values["user"], serve)


if __name__ == "__main__":
    asyncio.run(main())
