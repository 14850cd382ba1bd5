"""The schema of a service's database: two Alembic branches, one of the plumbing and one of the service itself."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection

PLUMBING_VERSIONS = Path(__file__).parent / "versions"
SERVICES = Path(__file__).parents[2] / "services"


class SchemaMismatch(Exception):
    """The database does not have the schema that this release works on."""


def _config(service: str, url: URL | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{PLUMBING_VERSIONS}\n{SERVICES / service / 'migrations'}")
    config.attributes["url"] = url
    return config


def migrate(service: str, url: URL) -> None:
    """Brings a service's database to the newest schema of this release; does nothing where it is there already."""
    command.upgrade(_config(service, url), "heads")


def heads_of(service: str) -> set[str]:
    """The newest revisions of a service's schema in this release."""
    return set(ScriptDirectory.from_config(_config(service)).get_heads())


def revisions_of(service: str) -> set[str]:
    """Every revision of a service's schema that this release knows."""
    return {revision.revision for revision in ScriptDirectory.from_config(_config(service)).walk_revisions()}


def check_schema(connection: Connection, service: str) -> None:
    """Raises SchemaMismatch where the schema is older than this release, or has revisions it does not know."""
    present = set(MigrationContext.configure(connection).get_current_heads())
    if newer := present - revisions_of(service):
        raise SchemaMismatch(
            f"The database of {service} has the schema {', '.join(sorted(newer))}, which is newer than this release: "
            "run the newer release, or restore the database to this one's schema."
        )
    if missing := heads_of(service) - present:
        raise SchemaMismatch(
            f"The database of {service} lacks {', '.join(sorted(missing))}: run `python -m services.{service} migrate` first."
        )
