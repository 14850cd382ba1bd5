"""`co secrets`: the keys, certificates and passwords of an embedded run."""

from pathlib import Path

from cyclopts import App

from cli.printing import plain
from deploy.embedded.layout import HOME, PARTNERS, Layout

app = App(name="secrets", help="The keys, certificates and passwords of an embedded run.")


@app.command
def init(*, root: Path = Path("var"), country: str = HOME, partners: tuple[str, ...] = PARTNERS) -> None:
    """Make the secrets that are missing, readable by you alone; those that are there stay as they are."""
    layout = Layout(root, country=country, partners=partners)
    made = layout.secrets.make(layout.users)
    console = plain()
    for path in made:
        console.print(f"made {path}")
    if not made:
        console.print(f"Nothing is missing in {layout.secrets.folder}.")
