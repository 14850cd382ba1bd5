"""The schema of a service's database: two Alembic branches, one of the plumbing and one of the service itself.

A migration expands: code of every earlier revision can run on its result. A migration that contracts declares `oldest_code`:
the oldest revision whose code can run on its result. That is its own revision if no older code can.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, delete, insert, inspect, select, text

from shared.database.tables import runnable_revisions

if TYPE_CHECKING:  # a running service needs no Alembic, which takes 10 MB: only `migrate` imports it
    from alembic.config import Config
    from alembic.script import ScriptDirectory

PLUMBING_VERSIONS = Path(__file__).parent / "versions"
RIGHTS = Path(__file__).parent / "rights.sql"
"""The grants of the roles, for a server where each service and `migrator` have a role of their own."""
SERVICES = Path(__file__).parents[3] / "services"
NAME = re.compile(r'^(revision|down_revision) = (?:"(\w+)"|None)$', re.MULTILINE)
VERSION_TABLE = "alembic_version"


class SchemaMismatch(Exception):
    """This release cannot run on the schema of the database."""


@dataclass(frozen=True)
class Schema:
    """The newest revisions of a database, and all revisions whose code can run on it, as `migrate` stored them."""

    present: frozenset[str]
    runnable: frozenset[str] = frozenset()

    @classmethod
    def of(cls, connection: Connection) -> "Schema":
        """Reads the schema of a database."""
        tables = inspect(connection)
        if not tables.has_table(VERSION_TABLE):
            return cls(frozenset())
        present = frozenset(connection.scalars(text(f"SELECT version_num FROM {VERSION_TABLE}")))  # noqa: S608
        if not tables.has_table(runnable_revisions.name):  # an older release has migrated it
            return cls(present)
        return cls(present, frozenset(connection.scalars(select(runnable_revisions.c.revision))))

    def newer_than(self, service: str) -> set[str]:
        """The revisions that this release of a service does not have."""
        return set(self.present) - _revisions_of(service).keys()

    def lacks(self, service: str) -> set[str]:
        """The missing revisions that this release needs; none if a newer release has only expanded the schema."""
        return heads_of(service) - self.present - (self.runnable if self.newer_than(service) else set())


@cache
def _revisions_of(service: str) -> Mapping[str, str | None]:
    """The revisions of the plumbing and of a service in this release, each with the one before it."""
    found: dict[str, str | None] = {}
    for file in (*PLUMBING_VERSIONS.glob("*.py"), *(SERVICES / service / "migrations").glob("*.py")):
        names = {name: value or None for name, value in NAME.findall(file.read_text(encoding="utf-8"))}
        if revision := names.get("revision"):
            found[revision] = names["down_revision"]
    return found


def _config(service: str, url: URL | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{PLUMBING_VERSIONS}\n{SERVICES / service / 'migrations'}")
    config.attributes.update(service=service, url=url)
    return config


def migrate(service: str, url: URL, to: str = "heads") -> None:
    """Migrates a service's database to the newest schema of this release. It does nothing if the schema is as new or newer.

    `to`: an earlier revision, for tests. Raises SchemaMismatch if the schema is newer and this release cannot run on it.
    """
    from alembic import command

    command.upgrade(_config(service, url), to)


def heads_of(service: str) -> set[str]:
    """The newest revisions of a service's schema in this release."""
    revisions = _revisions_of(service)
    return revisions.keys() - set(revisions.values())


def store_runnable(connection: Connection, service: str) -> None:
    """Stores the revisions whose code can run on the migrated schema."""
    from alembic.script import ScriptDirectory

    runnable = runnable_on_heads(ScriptDirectory.from_config(_config(service)))
    connection.execute(delete(runnable_revisions))
    connection.execute(insert(runnable_revisions), [{"revision": revision} for revision in sorted(runnable)])


def runnable_on_heads(scripts: "ScriptDirectory") -> set[str]:
    """The revisions whose code can run on the heads: from each head back to the oldest `oldest_code`.

    Raises ValueError if `oldest_code` names a revision that is not before the head.
    """
    runnable: set[str] = set()
    for head in scripts.get_heads():
        oldest: set[str] = set()
        line = list(scripts.iterate_revisions(head, "base"))
        for revision in line:
            if code := getattr(revision.module, "oldest_code", None):
                if code not in {former.revision for former in line}:
                    raise ValueError(f"`oldest_code` names {code}, which is no revision before {head}")
                oldest.add(code)
        for revision in line:
            runnable.add(revision.revision)
            if revision.revision in oldest:
                break
    return runnable


def must_not_be_newer(connection: Connection, service: str) -> Schema:
    """Returns the schema of a database. Raises SchemaMismatch if it is newer and this release cannot run on it."""
    schema = Schema.of(connection)
    if (newer := schema.newer_than(service)) and schema.lacks(service):
        raise SchemaMismatch(
            f"The database of {service} has the schema {', '.join(sorted(newer))}, which is newer than this release: "
            "run the newer release, or restore a backup with the schema of this release."
        )
    return schema


def check_schema(connection: Connection, service: str) -> None:
    """Raises SchemaMismatch if the schema is older than this release, or newer and this release cannot run on it."""
    if missing := must_not_be_newer(connection, service).lacks(service):
        raise SchemaMismatch(
            f"The database of {service} lacks {', '.join(sorted(missing))}: run `python -m services.{service} migrate` first."
        )
