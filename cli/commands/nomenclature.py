"""`co nomenclature`: loads editions of the nomenclature, and searches the one in force."""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from pydantic import ValidationError

from cli.nomenclature_file import read_lines
from cli.output import plain
from cli.target import CommandFailed, Where
from shared.contracts.certificates.nomenclature import (
    MAX_PART,
    LoadNomenclature,
    NomenclatureLine,
    NomenclatureLoaded,
    ShownNomenclature,
    ShowNomenclature,
)

CERTIFICATES = "certificates"
PATIENCE = 60.0
MAX_CHARACTERS = 200 * 1024
"""The limit for the descriptions of one command. At four bytes a character the command still fits into a message of the bus."""

app = App(name="nomenclature", help="The nomenclature: load an edition of HS codes, and search the one in force.")


@app.command
async def load(file: Path, *, name: str, valid_from: date, where: Where | None = None) -> None:
    """Load an edition. From its day on, the HS codes of products and certificates are checked with it.

    Idempotent: the same file with the same name and day changes nothing. A load that was interrupted has no effect.

    Parameters
    ----------
    file
        CSV (UTF-8) with the columns hscode and description.
    name
        The name of the edition, such as "HS 2022".
    valid_from
        The first day on which the edition is valid.
    """
    lines = await asyncio.to_thread(read_lines, file)
    parts = parts_of(lines, name, valid_from)
    async with (where or Where()).target().bus_client(PATIENCE) as bus:
        for part in parts:
            loaded: NomenclatureLoaded = await bus.ask(part, service=CERTIFICATES)
            if loaded.unchanged:
                plain().print(f"{name} was loaded before with the same {loaded.received:,} lines: nothing has changed.")
                return
    if not loaded.complete:
        raise CommandFailed(f"certificates has {loaded.received:,} of {len(lines):,} lines: load the file again.")
    plain().print(f"{name} is loaded: {loaded.received:,} lines, valid from {valid_from}.")


@app.command
async def show(
    *words: str, where: Where | None = None, as_json: Annotated[bool, Parameter(name="--json", negative=())] = False
) -> int:
    """Show the lines with this code, or with all these words, in the edition in force. Exits with 1 if there are none.

    Without a code or words it lists the editions.

    Parameters
    ----------
    words
        The beginning of a code, or of each word.
    as_json
        Print the answer as JSON.
    """
    try:
        question = ShowNomenclature(search=" ".join(words) or None)
    except ValidationError:
        raise CommandFailed("A search has at most 100 characters.") from None
    async with (where or Where()).target().bus_client() as bus:
        shown: ShownNomenclature = await bus.ask(question, service=CERTIFICATES)
    if as_json:
        plain().print(json.dumps(shown.model_dump(mode="json"), ensure_ascii=False))
    elif words:
        _print_lines(shown)
    else:
        _print_editions(shown)
    return 0 if shown.found.lines or not words else 1


def parts_of(lines: Sequence[NomenclatureLine], name: str, valid_from: date) -> list[LoadNomenclature]:
    """The commands that load an edition. Raises CommandFailed for a name that is too long."""
    text = "".join(f"{line.code}\t{line.description}\n" for line in lines)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    try:
        return [
            LoadNomenclature(name=name, valid_from=valid_from, size=len(lines), sha256=sha256, lines=part)
            for part in _parts(lines)
        ]
    except ValidationError:
        raise CommandFailed("The name of an edition has 1 to 60 characters.") from None


def _parts(lines: Sequence[NomenclatureLine]) -> Iterator[list[NomenclatureLine]]:
    part: list[NomenclatureLine] = []
    characters = 0
    for line in lines:
        if len(part) == MAX_PART or characters + len(line.description) > MAX_CHARACTERS:
            yield part
            part, characters = [], 0
        part.append(line)
        characters += len(line.description)
    yield part


def _print_lines(shown: ShownNomenclature) -> None:
    if shown.found.edition is None:
        plain().print("No edition is in force: load one with `co nomenclature load`.")
    elif not shown.found.lines:
        plain().print(f"{shown.found.edition} has no such line.")
    for line in shown.found.lines:
        plain().print(f"{line.code:<11} {line.description}")
    if shown.found.more:
        plain().print("There are more lines: add a word.")


def _print_editions(shown: ShownNomenclature) -> None:
    if not shown.editions:
        plain().print("No edition is loaded.")
    for each in shown.editions:
        loaded = f"{each.loaded_at:%Y-%m-%d %H:%M} UTC"
        state = ", in force" if each.in_force else ""
        plain().print(f"{each.name}: {each.size:,} lines, valid from {each.valid_from}, loaded {loaded}{state}")
