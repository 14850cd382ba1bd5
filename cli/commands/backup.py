"""`co backup` and `co restore`: copies of the services' databases."""

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
class Which:
    """Whose databases are meant: those of the embedded run under `--root`, or one that is named by its address."""

    root: Path = Path("var")
    country: str = HOME
    """The country that the service serves."""
    database_url: Annotated[str | None, Parameter(env_var="CO_DATABASE_URL")] = None
    database_password_file: Annotated[Path | None, Parameter(env_var="CO_DATABASE_PASSWORD_FILE")] = None

    def url(self, service: str) -> URL:
        """The address of a service's database."""
        if self.database_url is None:
            return make_url(Layout(self.root).database_url(service, self.country))
        url = make_url(self.database_url)
        return url.set(password=self.database_password_file.read_text().strip()) if self.database_password_file else url


def backup(*services: str, to: Path, which: Which | None = None) -> None:
    """Copy the databases of all services, or of those named, as they are at this instant; the services go on working.

    Parameters
    ----------
    services
        Which services.
    to
        The folder for the copies.
    """
    which = which or Which()
    if which.database_url and len(services) != 1:
        raise CommandFailed("Say whose database it is: one service.")
    _must_exist(services)
    to.mkdir(parents=True, exist_ok=True)
    for service in services or SERVICES:
        began = monotonic()
        file = to / f"{service}-{which.country}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.copy"
        manifest = backup_archive.take_backup(service, which.country, which.url(service), file)
        plain().print(f"{file}: {manifest.size / 2**20:.1f} MiB in {monotonic() - began:.1f} s")


def restore(service: str, copy: Path, *, which: Which | None = None) -> None:
    """Put a copy in the place of a service's database, which is kept beside it. The service must not run.

    Parameters
    ----------
    service
        The service whose copy it is.
    copy
        The file that `co backup` has written.
    """
    which = which or Which()
    _must_exist((service,))
    manifest = backup_archive.restore(service, which.country, which.url(service), copy)
    plain().print(
        f"{service} is as it was on {manifest.taken_at:%Y-%m-%d at %H:%M:%S} UTC; what it was until now is kept beside."
    )
    plain().print(f"Start it: it is in recovery, and changes nothing until you have run and confirmed `co recover {service}`.")


def _must_exist(services: tuple[str, ...]) -> None:
    if unknown := sorted(set(services) - set(SERVICES)):
        raise CommandFailed(f"There is no service {', '.join(unknown)}; there are {', '.join(SERVICES)}.")
