"""How `co` prints: tables as wide as they need where no person sits at a terminal."""

import sys

from rich.console import Console
from rich.table import Table

WIDE = 200


def page() -> Console:
    """Where a command prints its result."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def plain() -> Console:
    """Where lines are printed as they are, however long and whatever brackets are in them."""
    return Console(soft_wrap=True, markup=False, highlight=False)


def table(*headings: str, right: tuple[str, ...] = ()) -> Table:
    """A table without lines; the headings in `right` are of numbers."""
    made = Table(box=None, pad_edge=False)
    for heading in headings:
        made.add_column(heading)
    for heading in right:
        made.add_column(heading, justify="right")
    return made
