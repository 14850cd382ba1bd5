"""The schema of a service's database: two Alembic branches, one of the plumbing and one of the service itself.

A migration expands: code of every revision before it can run on its result. One that contracts says in `oldest_code` from which
revision on code can do without what it takes away; its own, where none can.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, delete, insert, inspect, select

from shared.database.tables import runnable_revisions

PLUMBING_VERSIONS = Path(__file__).parent / "versions"
RIGHTS = Path(__file__).parent / "rights.sql"
"""The rights of roles, for a server where a service and `migrator` have roles of their own."""
SERVICES = Path(__file__).parents[3] / "services"


class SchemaMismatch(Exception):
    """The database does not have a schema that this release works on."""


@dataclass(frozen=True)
class Schema:
    """The newest revisions of a database, and all revisions whose code can run on it, as `migrate` has noted them."""

    present: frozenset[str]
    runnable: frozenset[str] = frozenset()

    @classmethod
    def of(cls, connection: Connection) -> "Schema":
        """The schema of this database."""
        present = frozenset(MigrationContext.configure(connection).get_current_heads())
        if not inspect(connection).has_table(runnable_revisions.name):  # an older release has made it
            return cls(present)
        return cls(present, frozenset(connection.scalars(select(runnable_revisions.c.revision))))

    def newer_than(self, service: str) -> set[str]:
        """The revisions that this release of a service does not know."""
        return set(self.present) - {revision.revision for revision in _scripts(service).walk_revisions()}

    def lacks(self, service: str) -> set[str]:
        """What this release of a service needs and does not find; none where a newer release has only expanded it."""
        return heads_of(service) - self.present - (self.runnable if self.newer_than(service) else set())


def _config(service: str, url: URL | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{PLUMBING_VERSIONS}\n{SERVICES / service / 'migrations'}")
    config.attributes.update(service=service, url=url)
    return config


@cache
def _scripts(service: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(service))


def migrate(service: str, url: URL) -> None:
    """Brings a service's database to the newest schema of this release; does nothing where it is there already, or beyond.

    Raises SchemaMismatch where it is newer than this release can run on.
    """
    command.upgrade(_config(service, url), "heads")


def heads_of(service: str) -> set[str]:
    """The newest revisions of a service's schema in this release."""
    return set(_scripts(service).get_heads())


def note_runnable(connection: Connection, service: str) -> None:
    """Notes whose code can run on the schema that was just made."""
    runnable = runnable_on_heads(_scripts(service))
    connection.execute(delete(runnable_revisions))
    connection.execute(insert(runnable_revisions), [{"revision": revision} for revision in sorted(runnable)])


def runnable_on_heads(scripts: ScriptDirectory) -> set[str]:
    """From each head back to where a migration took away what older code needs. Raises ValueError where that is nowhere."""
    runnable: set[str] = set()
    for head in scripts.get_heads():
        oldest: set[str] = set()
        for revision in scripts.iterate_revisions(head, "base"):
            runnable.add(revision.revision)
            if code := getattr(revision.module, "oldest_code", None):
                oldest.add(code)
            if revision.revision in oldest:
                break
        else:
            if oldest:
                raise ValueError(f"before {head} there is no revision {', '.join(sorted(oldest))}, which `oldest_code` names")
    return runnable


def must_not_be_newer(connection: Connection, service: str) -> Schema:
    """The schema of a database. Raises SchemaMismatch where a newer release has made it and this one cannot run on it."""
    schema = Schema.of(connection)
    if (newer := schema.newer_than(service)) and schema.lacks(service):
        raise SchemaMismatch(
            f"The database of {service} has the schema {', '.join(sorted(newer))}, which is newer than this release: "
            "run the newer release, or restore the database to this one's schema."
        )
    return schema


def check_schema(connection: Connection, service: str) -> None:
    """Raises SchemaMismatch where the schema is older than this release, or newer than it can run on."""
    if missing := must_not_be_newer(connection, service).lacks(service):
        raise SchemaMismatch(
            f"The database of {service} lacks {', '.join(sorted(missing))}: run `python -m services.{service} migrate` first."
        )
