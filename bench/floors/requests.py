"""The floor of a question and a command: raw nats-py and sqlite3, without framework, validation, tracing or SQLAlchemy.

It replaces one replica of certificates on a bus with the same configuration, as the same user with its queue groups. Its
database has the schema of certificates, with all indexes, in WAL with synchronous=FULL. SQLite runs in place.

Both verify the Ed25519 signature of the actor token with `cryptography`, as the product does. The question reads the rows
that the product reads (deny list, certificate, settlement) in one read-only transaction. The command is five statements in
one transaction: it claims the answer, inserts the certificate with its items, the act and the audit entry, and stores the
answer. Every command commits alone.
"""

import asyncio
import base64
import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from time import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nats.aio.client import Client
from nats.aio.msg import Msg

from bench.floors import given, run

USER = "certificates"
QUESTION, COMMAND = "qry.certificate.get.v1", "cmd.certificate.draft.v1"

SIGNED_OUT = "SELECT 1 FROM revoked_sessions WHERE session_id = ?"
CERTIFICATE = """SELECT exporter_id, form, office, destination, status, version, submission, item_count, reference
 FROM certificates WHERE certificate_id = ?"""
SETTLED = "SELECT 1 FROM settlements WHERE certificate_id = ? AND submission = ?"

CLAIM = """INSERT INTO answers (actor, subject, command_id, body_hash, answered_at) VALUES (?, ?, ?, ?, ?)
 ON CONFLICT DO NOTHING"""
DRAFT = """INSERT INTO certificates (certificate_id, exporter_id, form, office, consignment, status, submission,
 issued_retroactively, version, drafted_at, status_since, destination, consignee, consignee_address, port_of_discharge,
 departure_date, item_count, search) VALUES (?, ?, 'D', ?, ?, 'draft', 0, 0, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
ACT = """INSERT INTO certificate_acts (certificate_id, version, act, at, user_id, organisation)
 VALUES (?, 1, 'draft', ?, ?, ?)"""
AUDIT = """INSERT INTO trail (at, actor, session, organisation, roles, act, on_noun, on_id, command_id, outcome)
 VALUES (?, ?, ?, ?, ?, 'DraftCertificate', 'certificate', ?, ?, 'done')"""
ANSWER = "UPDATE answers SET answer = ? WHERE actor = ? AND subject = ? AND command_id = ?"


class Floor:
    """Replies to both requests from one database. `products`: the findings on each product, by its id."""

    def __init__(self, database: str, token_key: str, products: dict[str, Any]) -> None:
        self._writer = _connected(database)
        self._reader = _connected(database)
        self._reader.execute("PRAGMA query_only=ON")
        self._token_key = Ed25519PublicKey.from_public_bytes(_decoded(token_key))
        self._products = products

    async def get(self, message: Msg) -> None:
        """Answers the question."""
        claims = self._claims(message)
        key = _hex(json.loads(message.data)["certificate_id"])
        read = self._reader.execute
        read("BEGIN")
        assert read(SIGNED_OUT, (_hex(claims["sid"]),)).fetchone() is None
        row = read(CERTIFICATE, (key,)).fetchone()
        settled = read(SETTLED, (key, row[6])).fetchone() is not None
        read("ROLLBACK")
        await message.respond(b'{"answer":%s}' % _state(key, row, settled).encode())

    async def draft(self, message: Msg) -> None:
        """Does the command."""
        claims, body = self._claims(message), message.data
        command = json.loads(body)
        wanted = command["consignment"]
        consignee, transport, items = wanted["consignee"], wanted["transport"], wanted["items"]
        kept = json.dumps(wanted | {"items": [item | self._products[item["product_id"]] for item in items]})
        key, command_id = _hex(command["certificate_id"]), _hex(command["command_id"])
        user, organisation = claims["sub"], claims["org"]
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        row = (_hex(organisation), "D", wanted["office"], wanted["destination"], "draft", 1, 0, len(items), None)
        answer = _state(key, row, False)

        do = self._writer.execute
        do("BEGIN IMMEDIATE")
        do(CLAIM, (user, COMMAND, command_id, hashlib.sha256(body).hexdigest(), now))
        columns = (key, row[0], row[2], kept, now, now, row[3], consignee["name"], consignee["address"])
        do(DRAFT, (*columns, transport["port_of_discharge"], transport["departure_date"], row[7], consignee["name"].lower()))
        do(ACT, (key, now, _hex(user), organisation))
        roles, session = " ".join(claims["roles"]), _hex(claims["sid"])
        do(AUDIT, (now, user, session, organisation, roles, command["certificate_id"], command_id))
        do(ANSWER, (answer, user, COMMAND, command_id))
        do("COMMIT")
        await message.respond(b'{"answer":%s}' % answer.encode())

    def _claims(self, message: Msg) -> dict[str, Any]:
        assert message.headers
        signed, _, signature = message.headers["Actor-Token"].rpartition(".")
        self._token_key.verify(_decoded(signature), signed.encode())
        claims: dict[str, Any] = json.loads(_decoded(signed.partition(".")[2]))
        assert claims["exp"] > time()
        return claims


def _state(key: str, row: tuple[Any, ...], settled: bool) -> str:
    """The answer with all fields of the product's answer."""
    exporter_id, form, office, destination, status, version, _, item_count, reference = row
    return json.dumps(
        {
            "certificate_id": _dashed(key),
            "exporter_id": _dashed(exporter_id),
            "agent_id": None,
            "agent_name": None,
            "form": form,
            "office": office,
            "destination": destination,
            "status": status,
            "waits_for": [],
            "remarks": None,
            "box_remarks": [],
            "reasons": [],
            "settled": settled,
            "reference": reference,
            "issued_on": None,
            "valid_until": None,
            "issued_retroactively": False,
            "fob_disclosed": [False] * item_count,
            "version": version,
        }
    )


def _connected(database: str) -> sqlite3.Connection:
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _hex(key: str) -> str:
    return key.replace("-", "")


def _dashed(key: str) -> str:
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


async def main(values: dict[str, Any]) -> None:
    """Runs the floor. `values`: url, seed, database, token_key (the `x` of the JWK) and products."""
    floor = Floor(values["database"], values["token_key"], values["products"])

    async def serve(client: Client) -> None:
        await client.subscribe(QUESTION, queue=USER, cb=floor.get)
        await client.subscribe(COMMAND, queue=USER, cb=floor.draft)

    await run(values["url"], values["seed"], USER, serve)


if __name__ == "__main__":
    asyncio.run(main(given()))
