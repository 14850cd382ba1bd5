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
"""The time from the announcement of a key to its use. A service may be down for a night."""

app = App(name="secrets", help="The keys, certificates and passwords of an instance.")


@app.command
def init(
    *,
    root: Path = Path("var"),
    country: str = HOME,
    partners: tuple[str, ...] | None = None,
    compose: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Create the missing secrets, readable by their owner only. Existing secrets do not change.

    Parameters
    ----------
    root
        The folder of the run: `secrets/` for an embedded run, `compose/` for `docker compose`.
    country
        The country whose certificates are issued.
    partners
        The partner countries whose gateways run here too; for `docker compose` one.
    compose
        Create the files for `docker compose up`.
    """
    if compose:
        if len(partners or PARTNERS[:1]) != 1:
            raise CommandFailed("`docker compose` runs the gateway of one partner: name one.")
        files = ComposeFiles(root / "compose", country, *(partners or PARTNERS[:1]))
        made, folder = files.make(), files.secrets.folder
    else:
        layout = Layout(root, country=country, partners=PARTNERS if partners is None else partners)
        made, folder = layout.secrets.make(layout.users, offices=layout.offices), layout.secrets.folder
    console = plain()
    for path in made:
        console.print(f"created {path}")
    if not made:
        console.print(f"Nothing is missing in {folder}.")


@app.command
def rotate_bus_key(
    service: str, *, root: Path = Path("var"), compose: bool = False, country: str = HOME, stolen_since: datetime | None = None
) -> None:
    """Create the next bus key of a service, which also signs its events. Then distribute it and restart the service.

    Signatures of the former key are valid for another hour. docs/operations.md describes the steps.

    Parameters
    ----------
    service
        The service of the key.
    root
        The folder of the run.
    compose
        Replace the key of `docker compose` instead of the embedded run's.
    country
        The country of the service.
    stolen_since
        When the former key was stolen (UTC, unless another zone is given). The bus refuses it at once, and consumers
        skip its events that the stream has stored since.
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
        raise CommandFailed("--stolen-since must not be in the future.")
    until = stolen_since.astimezone(UTC) if stolen_since else now + RETIRED_AFTER
    key = secrets.rotate_bus_key(country, service, until)
    plain().print(
        f"The new key of {service} is {key}. Signatures of the former key are valid until {until:%Y-%m-%d %H:%M} UTC."
    )


@app.command
def rotate_document_key(
    office: str, *, root: Path = Path("var"), compose: bool = False, country: str = HOME, stolen_since: datetime | None = None
) -> None:
    """Create the next key with which an office seals documents. Then restart certificates, one replica after another.

    Documents that the former key has sealed stay valid. docs/operations.md describes the steps, also for a key that a
    recognised authority has certified.

    Parameters
    ----------
    office
        The code of the office.
    root
        The folder of the run.
    compose
        Replace the key of `docker compose` instead of the embedded run's; then run `co secrets init --compose`.
    country
        The country of the office.
    stolen_since
        When the former key was stolen (UTC, unless another zone is given). The public check then warns of its documents.
    """
    secrets = ComposeFiles(root / "compose", HOME, PARTNERS[0]).secrets if compose else Layout(root).secrets
    if not secrets.document_keystore(office).exists():
        raise CommandFailed(f"There is no {secrets.document_keystore(office)}: run `co secrets init` first.")
    now = datetime.now(UTC).replace(microsecond=0)
    if stolen_since and stolen_since.tzinfo is None:
        stolen_since = stolen_since.replace(tzinfo=UTC)
    if stolen_since and stolen_since > now:
        raise CommandFailed("--stolen-since must not be in the future.")
    former, new = secrets.rotate_document_key(office, country, stolen_since)
    plain().print(f"The new key of {office} is {new}, in place of {former}. It seals as soon as certificates is restarted.")


@app.command
def rotate_token_key(*, root: Path = Path("var"), compose: bool = False, at_once: bool = False) -> None:
    """Create the next key that signs actor tokens. Then restart registry, one replica after another.

    It signs from the next day on, when every service knows it. The former key is valid for another hour after that. No user
    is signed out.

    Parameters
    ----------
    root
        The folder of the run.
    compose
        Replace the key of `docker compose` instead of the embedded run's.
    at_once
        The present key was stolen: the next one signs after the restart of registry, and every user refreshes or signs in.
    """
    secrets = ComposeFiles(root / "compose", HOME, PARTNERS[0]).secrets if compose else Layout(root).secrets
    if not secrets.registry_signing_key.exists():
        raise CommandFailed(f"There is no {secrets.registry_signing_key}: run `co secrets init` first.")
    now = datetime.now(UTC).replace(microsecond=0)
    signs_from = now if at_once else now + ANNOUNCED_AHEAD
    key_id = secrets.rotate_token_key(now, signs_from, timedelta() if at_once else RETIRED_AFTER)
    console = plain()
    console.print(f"The key {key_id} signs from {signs_from:%Y-%m-%d %H:%M} UTC on, as soon as registry is restarted.")
