"""Fills the databases of a system that does not run: `python -m bench.filler ROOT --count 100000`.

It copies lives that the databases contain: at least one certificate that customs have received. The copies have their own ids,
numbers, dates, companies and consignees. They are spread over the last year and agree with each other: `co audit` holds.
The rows of the plumbing are copied too: inbox and outbox as long as they are kept, stored answers, the audit log with seals.
"""

import argparse
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from os import urandom
from pathlib import Path
from random import Random
from time import monotonic

import nkeys

from bench.copying import (
    Statement,
    Template,
    company_statements,
    dashed,
    indexes_of,
    made,
    statements_of,
)
from bench.figures import LeftOut
from bench.sealing import Sealer
from bench.year import WEIGHTS, plan
from shared.contracts.index import SERVICES

QUICK = ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-1000000", "temp_store=FILE")
"""What makes SQLite fast while nobody else reads the file. A crash destroys it."""
CHUNK = 1000
"""Lives of one transaction."""
BYTES_OF_A_LIFE = 14_000
"""Disk that one life needs in all databases, with indexes, and while an index is built."""
RESERVE = 2 * 1024**3
"""Bytes that stay free for others."""


@dataclass(frozen=True)
class Filled:
    """What was added: certificates and companies, in how many seconds, and the bytes of all databases afterwards."""

    certificates: int
    companies: int
    seconds: float
    size: int


def fill(
    files: Mapping[str, Path],
    count: int,
    now: datetime,
    *,
    seed: int = 1,
    seeds: Mapping[str, str] | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> Filled:
    """Adds `count` certificates to the databases of services, by name. No process may have them open.

    `now`: the copies end before. `seeds`: the nkey seeds of the services, which seal the audit logs; new ones by default.
    Raises LeftOut if the disk is too small, and ValueError if the databases contain no life to copy.
    """
    began = monotonic()
    folder = files["certificates"].parent
    must_have_room(folder, count)
    templates = templates_in(files)
    with _work_file(folder) as lives:
        companies = plan(lives, files["certificates"], templates, count, Random(seed))
        for service, file in files.items():
            report(f"{service}: {count:,} certificates")
            try:
                _fill_one(service, file, lives, templates, now, f"{seed}:", (seeds or {}).get(service) or _new_seed())
            except sqlite3.OperationalError as error:
                if "full" in str(error):
                    raise LeftOut(f"the disk is full: {count:,} certificates do not fit into {folder}") from None
                raise
    size = sum(file.stat().st_size for file in files.values())
    return Filled(count, companies, monotonic() - began, size)


def must_have_room(folder: Path, count: int) -> None:
    """Raises LeftOut if the disk cannot take so many certificates."""
    free, wanted = shutil.disk_usage(folder).free, count * BYTES_OF_A_LIFE + RESERVE
    if free < wanted:
        gigabytes = f"{wanted / 1024**3:.0f} GB for {count:,} certificates, {free / 1024**3:.0f} GB are free"
        raise LeftOut(f"the disk is too small: {folder} needs {gigabytes}")


def templates_in(files: Mapping[str, Path]) -> list[Template]:
    """One life of each kind that the databases contain. Raises ValueError if no certificate was received by customs."""
    with closing(sqlite3.connect(files["tracking"])) as tracking:
        codes = dict(tracking.execute("SELECT certificate_id, code FROM tracked_steps ORDER BY version"))
    found: dict[str, Template] = {}
    with closing(sqlite3.connect(files["certificates"])) as certificates:
        certificates.row_factory = sqlite3.Row
        wanted = "SELECT * FROM certificates WHERE agent_id IS NULL ORDER BY status, drafted_at DESC LIMIT 10000"
        for row in certificates.execute(wanted):
            kind = {"REC": "received", "NOT": "refused"}.get(codes.get(row["certificate_id"], "")) or row["status"]
            if kind in WEIGHTS and kind not in found:
                found[kind] = _template(kind, row, certificates)
    if "received" not in found:
        raise ValueError("no certificate was received by customs: take one through the system first, `co demo` does")
    for template in found.values():
        _read_tokens(template, files)
    return [found[kind] for kind in WEIGHTS if kind in found]


def _template(kind: str, row: sqlite3.Row, certificates: sqlite3.Connection) -> Template:
    own, company = row["certificate_id"], row["exporter_id"]
    found = Template(kind, own, company, row["office"], row["destination"], row["reference"])
    name = certificates.execute("SELECT name FROM exporters WHERE exporter_id = ?", (company,)).fetchone()[0]
    products = certificates.execute("SELECT product_id FROM products WHERE exporter_id = ? ORDER BY 1", (company,)).fetchall()
    found.tokens |= {own: "l.certificate_id", dashed(own): "l.dashed", company: "x.exporter_id", dashed(company): "x.dashed"}
    for (product,) in products:
        found.tokens |= {product: f"made(-x.k, '{product}')", dashed(product): f"dashed(made(-x.k, '{product}'))"}
    found.tokens |= {name: "x.name", name.lower(): "lower(x.name)"}
    found.tokens |= {row["consignee"]: "l.consignee", row["search"]: "lower(l.consignee)"}
    if row["reference"]:
        found.tokens[row["reference"]] = "l.reference"
    return found


def _read_tokens(template: Template, files: Mapping[str, Path]) -> None:
    """The values of a life in the other databases: references and numbers of payments, and the tax number of the company."""
    with closing(sqlite3.connect(files["fees"])) as fees:
        of = (template.certificate_id,)
        for (reference,) in fees.execute("SELECT payment_reference FROM invoices WHERE certificate_id = ?", of):
            shown = f"{reference[:5]}-{reference[5:]}"
            template.tokens |= {reference: "l.payment", shown: "substr(l.payment, 1, 5) || '-' || substr(l.payment, 6)"}
        for number, (slip,) in enumerate(fees.execute("SELECT slip_number FROM payments WHERE certificate_id = ?", of)):
            template.tokens[slip] = f"'B' || l.slip || '-{number}'"
    with closing(sqlite3.connect(files["tracking"])) as tracking:
        for (digest,) in tracking.execute("SELECT sha256 FROM tracked_seals WHERE certificate_id = ?", of):
            template.tokens[digest] = f"made(l.n, '{digest[:32]}') || made(l.n, '{digest[32:]}')"
    if "registry" in files:
        with closing(sqlite3.connect(files["registry"])) as registry:
            of = (template.exporter_id,)
            for (number,) in registry.execute("SELECT tax_number FROM registrations WHERE exporter_id = ?", of):
                template.tokens[number] = "printf('F%012d', x.tax_number)"


@contextmanager
def _work_file(folder: Path) -> Iterator[Path]:
    """A database beside the others for what the filler plans. It is deleted."""
    file = folder / "filler.work"
    file.unlink(missing_ok=True)
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def _fill_one(service: str, file: Path, lives: Path, templates: list[Template], now: datetime, salt: str, seed: str) -> None:
    """Fills one database. Its indexes are built at the end, in one pass each."""
    own = [(number, each) for number, template in enumerate(templates) for each in statements_of(service, file, template, now)]
    first = {template.exporter_id: (number, template) for number, template in reversed(list(enumerate(templates)))}
    begun = [(number, each) for number, template in first.values() for each in company_statements(service, file, template)]
    with closing(sqlite3.connect(file, isolation_level=None, cached_statements=1000)) as opened:
        opened.create_function("made", 2, made(salt), deterministic=True)
        opened.create_function("dashed", 1, dashed, deterministic=True)
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for pragma in (
            "journal_mode=OFF",
            "synchronous=OFF",
            "locking_mode=EXCLUSIVE",
            "cache_size=-1000000",
            "temp_store=FILE",
        ):
            opened.execute(f"PRAGMA {pragma}").fetchall()
        opened.execute("ATTACH ? AS work", (str(lives),))
        count = opened.execute("SELECT count(*) FROM lives").fetchone()[0]
        indexes = indexes_of(opened, {each.table: None for _, each in (*own, *begun)})
        for name, _ in indexes:
            opened.execute(f"DROP INDEX {name}")
        _in_one(opened, ((each, number, 0, count) for number, each in begun))
        sealer = Sealer.of(opened, service, seed) if any(each.table == "trail" for _, each in own) else None
        for after in range(0, count, CHUNK):
            _in_one(opened, ((each, number, after + 1, after + CHUNK) for number, each in own), sealer, now)
        for _, statement in indexes:
            opened.execute(statement)
        if service == "certificates":
            opened.execute("INSERT OR REPLACE INTO main.numbers (office, form, year, last) SELECT * FROM work.numbers")
            opened.execute("INSERT OR IGNORE INTO consignee_names (search) SELECT DISTINCT lower(consignee) FROM work.lives")
        opened.execute("PRAGMA locking_mode=NORMAL").fetchall()
        opened.execute("DETACH work")
        opened.execute("PRAGMA journal_mode=WAL").fetchall()
        opened.execute("PRAGMA synchronous=FULL")


def _new_seed() -> str:
    return str(nkeys.encode_seed(urandom(32), nkeys.PREFIX_BYTE_USER).decode())


def _in_one(
    opened: sqlite3.Connection,
    chosen: Iterator[tuple[Statement, int, int, int]],
    sealer: Sealer | None = None,
    now: datetime | None = None,
) -> None:
    opened.execute("BEGIN")
    for statement, template, first, last in chosen:
        opened.execute(statement.sql, (*statement.values, template, first, last))
    if sealer and now:
        sealer.seal(now)
    opened.execute("COMMIT")


def main() -> int:
    """Fills the databases below a root of the embedded run. Returns the exit code."""
    from deploy.embedded.layout import Layout

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="the folder of an embedded run that has stopped")
    parser.add_argument("--count", type=int, default=10_000, help="certificates to add")
    parser.add_argument("--seed", type=int, default=1, help="another number makes other copies: needed for a second run")
    chosen = parser.parse_args()
    layout = Layout(chosen.root)
    files = {name: layout.root / "data" / f"{name}.db" for name in SERVICES}
    if layout.state_file.exists() or not files["certificates"].exists():
        parser.error(f"{chosen.root} runs, or has no databases: it needs a stopped run")
    seeds = {name: layout.seed(name) for name in files}
    try:
        done = fill(
            files,
            chosen.count,
            datetime.now(UTC),
            seed=chosen.seed,
            seeds=seeds,
            report=lambda text: print(text, file=sys.stderr),
        )
    except (LeftOut, ValueError) as error:
        parser.error(str(error))
    size = f"{done.size / 1024**3:.2f} GB"
    print(
        f"{done.certificates:,} certificates of {done.companies:,} companies in {done.seconds:.0f} s; the databases have {size}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
