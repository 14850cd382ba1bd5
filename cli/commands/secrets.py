"""`co secrets`: the keys, certificates and passwords of an instance."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cli.output import plain
from cli.target import CommandFailed
from deploy.compose.files import ComposeFiles
from deploy.embedded.layout import HOME, PARTNERS, Layout
from deploy.secrets import RETIRED_AFTER
from shared.contracts.index import SERVICES

ANNOUNCED_AHEAD = timedelta(days=1)
"""How long a key is known before it signs: a service may be down for a night."""

app = App(name="secrets", help="The keys, certificates and passwords of an instance.")


@app.command
def init(
    *,
    root: Path = Path("var"),
    country: str = HOME,
    partners: tuple[str, ...] | None = None,
    compose: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Make the secrets that are missing, readable by you alone; those that are there stay as they are.

    Parameters
    ----------
    root
        Where everything is kept: the secrets of an embedded run in `secrets/`, those of `docker compose` in `compose/`.
    country
        The country whose certificates are issued.
    partners
        The countries whose gateways run too; for `docker compose` one.
    compose
        Make what `docker compose up` needs.
    """
    if compose:
        if len(partners or PARTNERS[:1]) != 1:
            raise CommandFailed("With `docker compose` one partner's gateway runs: name one.")
        files = ComposeFiles(root / "compose", country, *(partners or PARTNERS[:1]))
        made, folder = files.make(), files.secrets.folder
    else:
        layout = Layout(root, country=country, partners=PARTNERS if partners is None else partners)
        made, folder = layout.secrets.make(layout.users), layout.secrets.folder
    console = plain()
    for path in made:
        console.print(f"made {path}")
    if not made:
        console.print(f"Nothing is missing in {folder}.")


@app.command
def rotate_bus_key(
    service: str, *, root: Path = Path("var"), compose: bool = False, country: str = HOME, stolen_since: datetime | None = None
) -> None:
    """Make the next key of a service on the bus, which also signs its events. Then hand it out and restart the service.

    What the former key signs within an hour is genuine too. docs/operations.md has the steps.

    Parameters
    ----------
    service
        The service whose key is replaced.
    root
        Where everything is kept.
    compose
        The key of `docker compose`, not that of an embedded run.
    country
        The country of the service.
    stolen_since
        The former key was stolen (UTC, unless it says another zone): it is let in no more, and events that the stream has
        stored since then are passed over.
    """
    if service not in SERVICES:
        raise CommandFailed(f"There is no service {service}; there are {', '.join(SERVICES)}.")
    secrets = ComposeFiles(root / "compose", HOME, PARTNERS[0]).secrets if compose else Layout(root).secrets
    if not secrets.seed(country, service).exists():
        raise CommandFailed(f"There is no {secrets.seed(country, service)}: run `co secrets init` first.")
    now = datetime.now(UTC).replace(microsecond=0)
    if stolen_since and stolen_since.tzinfo is None:
        stolen_since = stolen_since.replace(tzinfo=UTC)
    if stolen_since and stolen_since > now:
        raise CommandFailed("--stolen-since must not lie in the future.")
    until = stolen_since.astimezone(UTC) if stolen_since else now + RETIRED_AFTER
    key = secrets.rotate_bus_key(country, service, until)
    plain().print(f"The new key of {service} is {key}. What the former one signs counts until {until:%Y-%m-%d %H:%M} UTC.")


@app.command
def rotate_token_key(*, root: Path = Path("var"), compose: bool = False, at_once: bool = False) -> None:
    """Make the next key that actor tokens are signed with. Then restart registry, one replica after another.

    It signs from a day later on, so that by then every service knows it; nobody is signed out. The key before stays valid for
    an hour after that, and is refused from then on.

    Parameters
    ----------
    root
        Where everything is kept.
    compose
        The key of `docker compose`, not that of an embedded run.
    at_once
        The present key was stolen: the next one signs as soon as registry is restarted, and everybody signs in or refreshes.
    """
    secrets = ComposeFiles(root / "compose", HOME, PARTNERS[0]).secrets if compose else Layout(root).secrets
    if not secrets.registry_signing_key.exists():
        raise CommandFailed(f"There is no {secrets.registry_signing_key}: run `co secrets init` first.")
    now = datetime.now(UTC).replace(microsecond=0)
    signs_from = now if at_once else now + ANNOUNCED_AHEAD
    key_id = secrets.rotate_token_key(now, signs_from, timedelta() if at_once else RETIRED_AFTER)
    console = plain()
    console.print(f"The key {key_id} signs from {signs_from:%Y-%m-%d %H:%M} UTC on, as soon as registry is restarted.")
