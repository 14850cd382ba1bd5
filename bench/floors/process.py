"""A process of a floor: nats-py and sqlite3 in place, one transaction for each message, no framework.

It has the settings, tables, bus users and event keys of a service of the embedded run. Every commit is on the disk
(`synchronous=FULL`). The outbox is claimed, published and marked, and tasks are leased, as in the product.
"""

import asyncio
import base64
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import nats
import nkeys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nats.aio.msg import Msg

MAX_EVENTS = 100
ALL = json.dumps({"batch": MAX_EVENTS, "no_wait": True, "expires": 500_000_000}).encode()
MAX_TASKS = 8
LOST_SECONDS = 5.0
"""The bus answers a request for events within half a second."""
TOGETHER = "CO_FLOOR_TOGETHER"
"""The environment variable: events that wait are handled in one transaction."""
KEEP = "ON CONFLICT DO NOTHING"

Body = dict[str, Any]
Act = Callable[[Body, "Body", bytes], Body]
"""Handles a request: body, claims of the actor, raw body. Returns the answer."""


def now() -> str:
    """The present instant, as the tables store it."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def hexed(text: str) -> str:
    """A UUID as SQLite stores it."""
    return text.replace("-", "")


def dashed(hexadecimal: str) -> str:
    """A UUID as messages write it."""
    return str(UUID(hexadecimal))


class Process:
    """One process: its requests, events and tasks are registered before `run`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.db = sqlite3.connect(urlsplit(os.environ["CO_DATABASE_URL"]).path[1:], isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
            self.db.execute(f"PRAGMA {pragma}")
        self.requests: dict[str, Act] = {}
        self.events: dict[str, Callable[[Body], None]] = {}
        self.tasks: dict[str, Callable[[str], Coroutine[Any, Any, None]]] = {}
        self._announced, self._due = asyncio.Event(), asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._together = bool(os.environ.get(TOGETHER))
        self._seed = Path(os.environ["CO_NATS_SEED_FILE"]).read_text().strip()
        self._key = nkeys.from_seed(bytearray(self._seed.encode()))
        self._public = self._key.public_key.decode()
        keys = json.loads(Path(os.environ["CO_EVENT_KEYS_FILE"]).read_bytes())
        self._event_keys = {key: _ed25519(key) for its in keys.values() for key in its}
        self._token_keys: dict[str, Ed25519PublicKey] = {}

    async def run(self) -> None:
        """Works until it is ended."""
        self.nc = await nats.connect(
            os.environ["CO_NATS_URL"],
            nkeys_seed_str=self._seed,
            inbox_prefix=f"_INBOX_{self.name}".encode(),
        )
        self._js = self.nc.jetstream()
        for subject in self.requests:
            await self.nc.subscribe(subject, queue=self.name, cb=self._answer)
        loops = [self._publish(), self._do_tasks(), *([self._consume()] if self.events else [])]
        await asyncio.gather(*loops)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that commits at its end."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def insert(self, table: str, conflict: str = "", **row: object) -> bool:
        """Inserts a row and returns whether a row was written. `conflict`: the clause for a row with the same key."""
        statement = f"INSERT INTO {table} ({','.join(row)}) VALUES ({','.join('?' * len(row))}) {conflict}"
        return self.db.execute(statement, tuple(row.values())).rowcount == 1

    def announce(self, subject: str, about: str, version: int, **fields: object) -> None:
        """Writes an event to the outbox."""
        body = json.dumps({"version": version, "occurred_at": now(), "certificate_id": about, **fields}, ensure_ascii=False)
        self.insert("outbox", event_id=str(uuid4()), subject=subject, body=body, about=hexed(about), recorded_at=now())
        self._announced.set()

    def later(self, kind: str, key: str) -> None:
        """Writes a task."""
        self.insert("tasks", kind=kind, key=key, body=json.dumps({"id": key}), due_at=now())
        self._due.set()

    def finished(self, kind: str, key: str) -> None:
        """Deletes a task."""
        self.db.execute("DELETE FROM tasks WHERE kind=? AND key=?", (kind, key))

    def claims(self, token: str) -> Body:
        """The claims of a token with a valid signature. Raises InvalidSignature, and PermissionError for an ended session."""
        head, payload, signature = token.split(".")
        if head not in self._token_keys:
            for (key,) in self.db.execute("SELECT public_key FROM signing_keys"):
                self._token_keys[head] = Ed25519PublicKey.from_public_bytes(_unpadded(json.loads(key)["x"]))
        self._token_keys[head].verify(_unpadded(signature), f"{head}.{payload}".encode())
        claims: Body = json.loads(_unpadded(payload))
        ended = self.db.execute("SELECT 1 FROM revoked_sessions WHERE session_id=?", (hexed(claims["sid"]),)).fetchone()
        if ended:
            raise PermissionError("the session has ended")
        return claims

    async def _answer(self, message: Msg) -> None:
        headers = message.headers or {}
        body = json.loads(message.data)
        with self.transaction():
            claims = self.claims(headers["Actor-Token"])
            if step_up := headers.get("Co-Step-Up"):
                claims["step_up"] = self.claims(step_up)
            answer = self.requests[message.subject](body, claims, message.data)
        await message.respond(b'{"answer":' + json.dumps(answer, ensure_ascii=False).encode() + b"}")

    async def _consume(self) -> None:
        """Handles all events that wait, at most 100: each in a transaction of its own, or together in one."""
        arrived: asyncio.Queue[Msg] = asyncio.Queue()
        inbox = self.nc.new_inbox()
        await self.nc.subscribe(inbox, cb=arrived.put)
        while True:
            await self.nc.publish(f"$JS.API.CONSUMER.MSG.NEXT.EVENTS.{self.name}", ALL, reply=inbox)
            batch: list[Msg] = []
            while len(batch) < MAX_EVENTS and (message := await _next(arrived)) and message.reply:
                batch.append(message)
            for part in [batch] if self._together else [[message] for message in batch]:
                with self.transaction():
                    for message in part:
                        self._take(message.subject, message.headers or {}, message.data)
                for message in part:
                    await self.nc.publish(message.reply, b"+ACK")

    def _take(self, subject: str, headers: Mapping[str, str], data: bytes) -> None:
        event_id = headers["Nats-Msg-Id"]
        self._event_keys[headers["Co-Key"]].verify(base64.b64decode(headers["Co-Signature"]), _signed(subject, event_id, data))
        event = json.loads(data)
        about = hexed(event["certificate_id"])
        if self.insert("inbox", KEEP, event_id=hexed(event_id), subject=subject, about=about, received_at=now()):
            self.events[subject](event)

    async def _publish(self) -> None:
        """Claims, publishes and marks the outbox."""
        claim = """UPDATE outbox SET claimed_until=? WHERE id IN (SELECT id FROM outbox WHERE sent_at IS NULL
            AND claimed_until IS NULL ORDER BY id LIMIT 200) RETURNING id, event_id, subject, body"""
        while True:
            await self._announced.wait()
            self._announced.clear()
            with self.transaction():
                rows = self.db.execute(claim, (_in(10),)).fetchall()
            await asyncio.gather(*(self._send(*row[1:]) for row in rows))
            with self.transaction():
                self.db.executemany("UPDATE outbox SET sent_at=? WHERE id=?", [(now(), row[0]) for row in sorted(rows)])

    async def _send(self, event_id: str, subject: str, text: str) -> None:
        body = text.encode()
        signature = base64.b64encode(self._key.sign(_signed(subject, event_id, body))).decode()
        headers = {"Nats-Msg-Id": event_id, "Co-Key": self._public, "Co-Signature": signature}
        await self._js.publish(subject, body, timeout=60, stream="EVENTS", headers=headers)

    async def _do_tasks(self) -> None:
        """Leases due tasks and does eight at the same time."""
        lease = """UPDATE tasks SET leased_until=?, attempts=attempts+1 WHERE id IN (SELECT id FROM tasks WHERE due_at<=?
            AND leased_until IS NULL ORDER BY due_at LIMIT ?) RETURNING kind, key"""
        while self.tasks:
            await self._due.wait()
            self._due.clear()
            if len(self._running) == MAX_TASKS:
                continue
            with self.transaction():
                rows = self.db.execute(lease, (_in(60), now(), MAX_TASKS - len(self._running))).fetchall()
            for kind, key in rows:
                running = asyncio.create_task(self.tasks[kind](key))
                self._running.add(running)
                running.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        task.result()
        self._running.discard(task)
        self._due.set()


class Commands(Process):
    """A process with commands."""

    def done(self, act: str, command: Body, claims: Body, raw: bytes, answer: Body) -> Body:
        """Stores the answer and the audit entry; returns the answer."""
        identity, session = hexed(command["command_id"]), hexed(claims["sid"])
        self.insert(
            "answers",
            actor=claims["sub"],
            subject=act,
            command_id=identity,
            body_hash=hashlib.sha256(raw).hexdigest(),
            answer=json.dumps(answer, ensure_ascii=False),
            answered_at=now(),
        )
        who = {"actor": claims["sub"], "session": session, "organisation": claims["org"], "roles": " ".join(claims["roles"])}
        about = {"on_noun": "certificate", "on_id": command["certificate_id"]}
        self.insert("trail", at=now(), act=act, command_id=identity, outcome="done", **who, **about)
        return answer


async def _next(arrived: asyncio.Queue[Msg]) -> Msg | None:
    """The next message; None if none comes, as after a lost connection."""
    if not arrived.empty():
        return arrived.get_nowait()
    try:
        return await asyncio.wait_for(arrived.get(), LOST_SECONDS)
    except TimeoutError:
        return None


def _in(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _signed(subject: str, event_id: str, body: bytes) -> bytes:
    return f"co-event-1\n{subject}\n{event_id}\n".encode() + body


def _ed25519(nkey: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b32decode(nkey + "=" * (-len(nkey) % 8))[1:33])


def _unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
