"""`co backup` and `co restore`: backups of the services' databases."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Annotated

from cyclopts import Parameter
from sqlalchemy import URL, make_url

from cli import backup_archive
from cli.output import plain
from cli.target import CommandFailed
from deploy.embedded.layout import HOME, Layout
from shared.contracts.index import SERVICES


@Parameter(name="*")
@dataclass(frozen=True)
class DatabaseTarget:
    """The databases of a command: those of the embedded run under `--root`, or one at a given address."""

    root: Path = Path("var")
    country: str = HOME
    """The country of the services."""
    database_url: Annotated[str | None, Parameter(env_var="CO_DATABASE_URL")] = None
    database_password_file: Annotated[Path | None, Parameter(env_var="CO_DATABASE_PASSWORD_FILE")] = None

    def url(self, service: str) -> URL:
        """The address of a service's database."""
        if self.database_url is None:
            return make_url(Layout(self.root).database_url(service, self.country))
        url = make_url(self.database_url)
        return url.set(password=self.database_password_file.read_text().strip()) if self.database_password_file else url


def backup(*services: str, to: Path, which: DatabaseTarget | None = None) -> None:
    """Back up the databases of all services, or of the named ones, at this instant. The services continue to work.

    Parameters
    ----------
    services
        The services; all by default.
    to
        The folder for the backups.
    """
    which = which or DatabaseTarget()
    if which.database_url and len(services) != 1:
        raise CommandFailed("With --database-url name one service.")
    _check_names(services)
    to.mkdir(parents=True, exist_ok=True)
    for service in services or SERVICES:
        began = monotonic()
        file = to / f"{service}-{which.country}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.copy"
        manifest = backup_archive.take_backup(service, which.country, which.url(service), file)
        plain().print(f"{file}: {manifest.size / 2**20:.1f} MiB in {monotonic() - began:.1f} s")


def restore(service: str, copy: Path, *, which: DatabaseTarget | None = None) -> None:
    """Replace the database of a service by a backup. The former database is kept beside it. The service must not run.

    Parameters
    ----------
    service
        The service of the backup.
    copy
        The file of `co backup`.
    """
    which = which or DatabaseTarget()
    _check_names((service,))
    manifest = backup_archive.restore(service, which.country, which.url(service), copy)
    plain().print(f"{service} is restored to {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC. Its former database is kept beside it.")
    plain().print(f"Start it. It is in recovery and refuses commands until you run and confirm `co recover {service}`.")


def _check_names(services: tuple[str, ...]) -> None:
    if unknown := sorted(set(services) - set(SERVICES)):
        raise CommandFailed(f"There is no service {', '.join(unknown)}; there are {', '.join(SERVICES)}.")
