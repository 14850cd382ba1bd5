"""`co secrets`: the keys, certificates and passwords of an instance."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cli.printing import plain
from cli.reach import CommandFailed
from deploy.compose.files import ComposeFiles
from deploy.embedded.layout import HOME, PARTNERS, Layout

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
