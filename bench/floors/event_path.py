"""The floor of the event path: raw nats-py with sqlite3 or asyncpg, without framework, validation, tracing or SQLAlchemy.

It replaces `bench.event_service` on a bus with the same configuration, as the same user with the same consumer. It pulls at
most 100 events, verifies the Ed25519 signature of each, inserts inbox, effect and outbox rows in one transaction, signs and
publishes one event for each with JetStream's acknowledgement, marks them as sent in a second transaction, and acknowledges.
The database has the schema of fees with all indexes. SQLite runs in place, in WAL with synchronous=FULL.
"""

import asyncio
import base64
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

import asyncpg
import nkeys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nats.aio.client import Client
from nats.aio.msg import Msg

from bench.floors import given, run

USER, STREAM, BATCH = "fees", "EVENTS", 100
PULL = json.dumps({"batch": BATCH, "no_wait": True, "expires": 500_000_000}).encode()
RECEIVED, ANNOUNCED = "evt.certificate.submitted.v1", "evt.fee.settled.v1"


@dataclass(frozen=True)
class Row:
    """One received event and the event that follows from it."""

    received: UUID
    certificate_id: UUID
    submission: int
    traceparent: str
    announced: UUID
    body: str
    at: datetime


class Store(Protocol):
    """A database."""

    async def keep(self, rows: Sequence[Row]) -> list[Row]:
        """Inserts inbox, effect and outbox rows in one transaction. Returns the rows of events that are new."""

    async def mark(self, rows: Sequence[Row]) -> None:
        """Marks the announced events as sent."""


class InSqlite:
    """SQLite, in place."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._connection.execute(f"PRAGMA {pragma}")

    async def keep(self, rows: Sequence[Row]) -> list[Row]:
        """One transaction with a statement for each inbox row, because it tells which event is new."""
        do, many = self._connection.execute, self._connection.executemany
        do("BEGIN IMMEDIATE")
        inbox = "INSERT OR IGNORE INTO inbox (event_id, subject, about, traceparent, received_at) VALUES (?, ?, ?, ?, ?)"
        new = [
            row
            for row in rows
            if do(inbox, (row.received.hex, RECEIVED, row.certificate_id.hex, row.traceparent, _text(row.at))).rowcount
        ]
        effect = "INSERT OR IGNORE INTO bench_effects (certificate_id, submission) VALUES (?, ?)"
        many(effect, [(row.certificate_id.hex, row.submission) for row in new])
        outbox = "INSERT INTO outbox (event_id, subject, body, about, traceparent, recorded_at) VALUES (?, ?, ?, ?, ?, ?)"
        many(
            outbox,
            [(row.announced.hex, ANNOUNCED, row.body, row.certificate_id.hex, row.traceparent, _text(row.at)) for row in new],
        )
        do("COMMIT")
        return new

    async def mark(self, rows: Sequence[Row]) -> None:
        """One transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        now = _text(datetime.now(UTC))
        self._connection.executemany(
            "UPDATE outbox SET sent_at = ? WHERE event_id = ?", [(now, row.announced.hex) for row in rows]
        )
        self._connection.execute("COMMIT")


class InPostgresql:
    """PostgreSQL by asyncpg."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def keep(self, rows: Sequence[Row]) -> list[Row]:
        """One transaction of three statements."""
        inbox = """INSERT INTO inbox (event_id, subject, about, traceparent, received_at)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[])
         ON CONFLICT DO NOTHING RETURNING event_id"""
        effect = "INSERT INTO bench_effects (certificate_id, submission) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        outbox = """INSERT INTO outbox (event_id, subject, body, about, traceparent, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6)"""
        columns = zip(*((row.received, RECEIVED, row.certificate_id, row.traceparent, row.at) for row in rows), strict=True)
        async with self._connection.transaction():
            ids = {found["event_id"] for found in await self._connection.fetch(inbox, *map(list, columns))}
            new = [row for row in rows if row.received in ids]
            await self._connection.executemany(effect, [(row.certificate_id, row.submission) for row in new])
            await self._connection.executemany(
                outbox, [(row.announced, ANNOUNCED, row.body, row.certificate_id, row.traceparent, row.at) for row in new]
            )
        return new

    async def mark(self, rows: Sequence[Row]) -> None:
        """One statement."""
        sent = "UPDATE outbox SET sent_at = $1 WHERE event_id = ANY($2::uuid[])"
        await self._connection.execute(sent, datetime.now(UTC), [row.announced for row in rows])


class Floor:
    """Handles batches until the process ends. `key`: the public key of the announcer, 32 bytes."""

    def __init__(self, client: Client, store: Store, key: bytes, seed: str) -> None:
        self._client, self._store = client, store
        self._jetstream = client.jetstream()
        self._announcer = Ed25519PublicKey.from_public_bytes(key)
        self._signer = nkeys.from_seed(seed.encode())
        self._public_key = self._signer.public_key.decode()
        self._arrived: asyncio.Queue[Msg] = asyncio.Queue()

    async def run(self) -> None:
        """Pulls and handles batches."""
        inbox = self._client.new_inbox()
        await self._client.subscribe(inbox, cb=self._arrived.put)
        while True:
            await self._client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{USER}", PULL, reply=inbox)
            batch: list[Msg] = []
            while len(batch) < BATCH and (message := await self._arrived.get()).reply:
                batch.append(message)
            if batch:
                await self._handle(batch)

    async def _handle(self, batch: list[Msg]) -> None:
        new = await self._store.keep([self._row(message) for message in batch])
        await asyncio.gather(*map(self._publish, new))
        await self._store.mark(new)
        await asyncio.gather(*(message.ack() for message in batch))

    def _row(self, message: Msg) -> Row:
        headers = message.headers or {}
        event_id = headers["Nats-Msg-Id"]
        self._announcer.verify(base64.b64decode(headers["Co-Signature"]), _signed(RECEIVED, event_id, message.data))
        event = json.loads(message.data)
        now = datetime.now(UTC)
        settled = {"version": 1, "occurred_at": now.isoformat()}
        body = json.dumps(settled | {"certificate_id": event["certificate_id"], "submission": event["submission"]})
        return Row(
            received=UUID(event_id),
            certificate_id=UUID(event["certificate_id"]),
            submission=event["submission"],
            traceparent=headers["traceparent"],
            announced=uuid4(),
            body=body,
            at=now,
        )

    async def _publish(self, row: Row) -> None:
        body, event_id = row.body.encode(), str(row.announced)
        signature = base64.b64encode(self._signer.sign(_signed(ANNOUNCED, event_id, body))).decode()
        headers = {"Nats-Msg-Id": event_id, "Co-Key": self._public_key, "Co-Signature": signature}
        await self._jetstream.publish(ANNOUNCED, body, stream=STREAM, headers=headers | {"traceparent": row.traceparent})


def _signed(subject: str, event_id: str, body: bytes) -> bytes:
    return f"co-event-1\n{subject}\n{event_id}\n".encode() + body


def _text(instant: datetime) -> str:
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


async def main(values: dict[str, Any]) -> None:
    """Runs the floor. `values`: url, seed, announcer (hex of a public key), and sqlite (a path) or postgresql (an address)."""
    address = values.get("postgresql")
    store: Store = InPostgresql(await asyncpg.connect(address)) if address else InSqlite(values["sqlite"])

    async def serve(client: Client) -> None:
        await Floor(client, store, bytes.fromhex(values["announcer"]), values["seed"]).run()

    await run(values["url"], values["seed"], USER, serve)


if __name__ == "__main__":
    asyncio.run(main(given()))
