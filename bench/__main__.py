"""Measures the product beside a floor in the same run: `make bench ARGS="--only question,lives --json FILE"`."""

import argparse
import asyncio
import json
import logging
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from datetime import date
from pathlib import Path
from time import monotonic

from sqlalchemy.exc import DBAPIError

from bench.figures import Conditions, Figure, LeftOut, table
from bench.measures import measures
from deploy.embedded.processes import StackFailed

FAILURES = (OSError, StackFailed, sqlite3.Error, DBAPIError)
"""What a measure raises where a process or a request fails."""
FULL = 20_000_000
"""A disk with fewer free bytes is full. Then services answer with refusals, so any error may follow."""


async def run(only: frozenset[str], quick: bool, rounds: int, folder: Path) -> tuple[list[Figure], int]:
    """Runs the measures one after another; returns the figures and how many measures failed."""
    found: list[Figure] = []
    failed = 0
    for name, module in measures(only).items():
        began = monotonic()
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-", dir=folder) as own:
            try:
                figures = await module.measure(Conditions(Path(own), quick, rounds))
            except LeftOut as reason:
                print(f"{name}: left out: {reason}", file=sys.stderr)
                continue
            except Exception as error:
                full = shutil.disk_usage(own).free < FULL
                if not full and not isinstance(error, FAILURES):
                    raise
                print(f"{name}: failed: {f'the disk of {folder} is full' if full else error}", file=sys.stderr)
                failed += 1
                continue
        found += [each for each in figures if not only or only & {name, each.name}]
        print(f"{name}: {monotonic() - began:.0f} s", file=sys.stderr)
    return found, failed


def main() -> int:
    """Reads the arguments, measures, prints the table and writes the file. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", help="names of measures or figures, with commas")
    parser.add_argument("--json", type=Path, help="the file for the figures")
    parser.add_argument("--quick", action="store_true", help="the smallest run of everything: its figures mean nothing")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is measured; the median counts")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where databases are created")
    chosen = parser.parse_args()
    only = frozenset(filter(None, chosen.only.split(",")))
    logging.disable(logging.WARNING)
    try:
        rounds = 1 if chosen.quick else chosen.rounds
        figures, failed = asyncio.run(run(only, chosen.quick, rounds, chosen.folder))
    except ValueError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        print("interrupted: everything that the measures started has ended", file=sys.stderr)
        return 130
    print(f"{date.today()}, {os.cpu_count()} cores, Python {platform.python_version()}{', quick' if chosen.quick else ''}\n")
    print(table(figures))
    if chosen.json:
        chosen.json.write_text(json.dumps([each.as_json() for each in figures], indent=2) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
