"""How `co` prints. Without a terminal, tables are as wide as their content."""

import sys

from rich.console import Console
from rich.table import Table

WIDE = 200


def page() -> Console:
    """The console for tables."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def plain() -> Console:
    """The console for plain lines: without wrapping and without markup."""
    return Console(soft_wrap=True, markup=False, highlight=False)


def table(*headings: str, right: tuple[str, ...] = ()) -> Table:
    """A table without borders. Columns of `right` are aligned to the right, for numbers."""
    created = Table(box=None, pad_edge=False)
    for heading in headings:
        created.add_column(heading)
    for heading in right:
        created.add_column(heading, justify="right")
    return created
