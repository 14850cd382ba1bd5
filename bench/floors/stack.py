"""The embedded run with the processes of a floor in place of the services."""

import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from uuid import UUID, uuid4

from deploy.embedded.processes import Program
from deploy.embedded.stack import Stack

SERVICES = ("certificates", "fees", "gateway", "tracking")
COPIED = {"certificates": ("exporters", "standings", "signing_keys"), "fees": ("exporter_names", "signing_keys")}
"""The tables that a floor takes from the product, besides the drafts."""


class FloorStack(Stack):
    """A stack with the same bus, permissions, tables, keys, TLS and customs as the product."""

    def _service(self, service: str, country: str) -> Program:
        program = super()._service(service, country)
        return replace(program, command=(sys.executable, "-m", "bench.floors.lives", service))

    def drafts(self, product: Stack, draft: UUID, count: int) -> list[UUID]:
        """Copies a draft of the product `count` times, and what it refers to. Returns the ids of the copies."""
        copies = [uuid4() for _ in range(count)]
        for service, tables in COPIED.items():
            with closing(sqlite3.connect(self.root / "data" / f"{service}.db")) as database:
                database.execute("ATTACH ? AS product", (str(product.root / "data" / f"{service}.db"),))
                for table in tables:
                    database.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM product.{table}")
                if service == "certificates":
                    query = "SELECT * FROM product.certificates WHERE certificate_id=?"
                    _, *row = database.execute(query, (draft.hex,)).fetchone()
                    insert = f"INSERT INTO certificates VALUES (?{',?' * len(row)})"
                    database.executemany(insert, ((each.hex, *row) for each in copies))
                database.commit()
        return copies
