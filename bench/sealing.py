"""Seals for the audit log of a filled database, as the service makes them each minute."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import nkeys

from shared.audit_log.sealing import MAX_SEALED, SealingKey
from shared.audit_log.seals import NO_FORMER, sha256, statement_of
from shared.contracts.audit_log import Seal

COLUMNS = (
    *("id", "at", "actor", "session", "organisation", "roles", "act", "on_noun"),
    *("on_id", "command_id", "from_where", "outcome"),
)
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass
class Sealer:
    """Seals the acts of one database after the last seal."""

    file: sqlite3.Connection
    service: str
    key: SealingKey
    number: int
    former: str
    last: int = 0
    """The last act with a seal of this sealer. Acts of the template are the first of all."""

    @classmethod
    def of(cls, file: sqlite3.Connection, service: str, seed: str) -> Self:
        """A sealer with the key of the service."""
        pair = nkeys.from_seed(seed.strip().encode())
        last = file.execute("SELECT * FROM trail_seals ORDER BY number DESC LIMIT 1")
        names, row = [each[0] for each in last.description], last.fetchone()
        if row is None:
            return cls(file, service, SealingKey(pair), 0, NO_FORMER)
        seal = Seal(**dict(zip(names, row, strict=True)))
        return cls(file, service, SealingKey(pair), seal.number, sha256(statement_of(seal, service, "KH")))

    def seal(self, at: datetime) -> None:
        """Seals all acts that have no seal, at most `MAX_SEALED` with each seal."""
        while rows := self.file.execute(
            f"SELECT {', '.join(COLUMNS)} FROM trail WHERE id > ? AND seal IS NULL ORDER BY id LIMIT {MAX_SEALED}", (self.last,)
        ).fetchall():
            lines = "".join(f"{row[0]} {sha256(form(row))}\n" for row in rows)
            unsigned = Seal(
                number=self.number + 1,
                at=at,
                former=self.former,
                acts=len(rows),
                batch=sha256(lines),
                sealed=lines,
                key=self.key.public,
                signature="",
            )
            statement = statement_of(unsigned, self.service, "KH")
            self._store(unsigned, self.key.sign(statement), rows[0][0], rows[-1][0])
            self.number, self.former, self.last = unsigned.number, sha256(statement), rows[-1][0]

    def _store(self, seal: Seal, signature: str, first: int, last: int) -> None:
        at = seal.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        row = (seal.number, at, seal.former, seal.acts, seal.batch, seal.sealed, seal.key, signature)
        names = "number, at, former, acts, batch, sealed, key, signature"
        self.file.execute(f"INSERT INTO trail_seals ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        self.file.execute("UPDATE trail SET seal = ? WHERE id BETWEEN ? AND ? AND seal IS NULL", (seal.number, first, last))


def form(row: tuple[object, ...]) -> str:
    """The form of an act that is hashed, from its row: the same as `form_of` makes from an `Act`."""
    act = dict(zip(COLUMNS, row, strict=True))
    for name in ("session", "command_id"):
        if act[name] is not None:
            act[name] = _dashed(str(act[name]))
    return ENCODER.encode(act)


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
