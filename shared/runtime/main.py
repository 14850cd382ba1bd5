"""The entry point of every service: `python -m services.NAME [serve|migrate]`."""

import logging
import sys

import uvloop
from sqlalchemy.exc import DBAPIError

from shared.database.migrations.schema import SchemaMismatch, migrate
from shared.observability.logs import start_logs
from shared.runtime.replica import Replica
from shared.runtime.service import Service
from shared.runtime.startup import waiting_for
from shared.settings import DatabaseSettings, Settings, SettingsWrong, read

log = logging.getLogger(__name__)


def run(service: Service) -> None:
    """Runs a service. Exit code: 1 for wrong settings, 3 for a schema mismatch, 4 for `migrate` without a database."""
    command = sys.argv[1] if len(sys.argv) > 1 else "serve"
    if command not in ("serve", "migrate"):
        sys.exit(f"{service.name}: unknown command {command!r}; use serve or migrate")
    try:
        settings = read(DatabaseSettings if command == "migrate" else service.settings)
        start_logs(service.name, settings.country, settings.log_level)
        if isinstance(settings, Settings):
            uvloop.run(Replica(service, settings).serve())
        else:
            migrate(service.name, settings.database)
    except SettingsWrong as error:
        sys.exit(f"{service.name}: {error}")
    except (DBAPIError, OSError) as error:
        if command == "serve" or (reason := waiting_for("nothing is migrated without the database", error)) is None:
            raise
        log.critical(reason)
        sys.exit(4)
    except SchemaMismatch as error:
        log.critical(str(error))
        sys.exit(3)
