"""What the filler adds: a year's certificates, as a table of new lives and of the companies that they belong to."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from bench.copying import Template
from services.fees.domain import payment_reference_of

DAYS = 365
RECENT_DAYS = 10
"""Certificates that still wait are at most this old."""
WEIGHTS = {"received": 960, "refused": 8, "rejected": 12, "draft": 10, "submitted": 4, "reviewed": 3, "approved": 3}
"""How many of a thousand lives end in each way."""
WAITING = frozenset({"draft", "submitted", "reviewed", "approved"})
OFFICES = (("PNH", 70), ("SVR", 20), ("SHV", 10))
DESTINATIONS = (("VN", 50), ("MY", 15), ("SG", 15), ("ID", 20))
FIRST = ("Saigon", "Mekong", "Lotus", "Merlion", "Java", "Sunda", "Straits", "Hanoi", "Penang", "Bandung")
SECOND = ("Apparel", "Trading", "Garment", "Textile", "Food", "Rubber", "Footwear", "Silk", "Rice", "Bicycle")


def plan(file: Path, certificates: Path, templates: list[Template], count: int, random: Random) -> int:
    """Decides the new companies and lives, oldest first. Returns the number of companies."""
    with closing(sqlite3.connect(certificates)) as opened:
        last = {(form, year, office): n for office, form, year, n in opened.execute("SELECT * FROM numbers")}
        issued = dict(opened.execute("SELECT certificate_id, issued_on FROM certificates"))
    own = sorted({template.exporter_id: number for number, template in reversed(list(enumerate(templates)))}.items())
    companies = max(3, len(own), count // 400)
    with closing(sqlite3.connect(file, isolation_level=None)) as work:
        work.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;"
            "CREATE TABLE companies (k INTEGER PRIMARY KEY, template INTEGER, exporter_id TEXT, dashed TEXT, name TEXT,"
            " tax_number INTEGER);"
            "CREATE TABLE lives (n INTEGER PRIMARY KEY, template INTEGER, company INTEGER, shift INTEGER, certificate_id TEXT,"
            " dashed TEXT, office TEXT, destination TEXT, consignee TEXT, reference TEXT, payment TEXT, slip TEXT);"
            "CREATE TABLE numbers (office TEXT, form TEXT, year INTEGER, last INTEGER)"
        )
        made_of = {exporter: [k for k in range(companies) if k % len(own) == place] for place, (exporter, _) in enumerate(own)}
        work.executemany("INSERT INTO companies VALUES (?, ?, ?, ?, ?, ?)", _companies(companies, own, random))
        rows = _lives(templates, count, made_of, issued, last, random)
        work.executemany(f"INSERT INTO lives VALUES ({', '.join('?' * 12)})", rows)
        work.executemany("INSERT INTO numbers VALUES (?, ?, ?, ?)", ((o, f, y, n) for (f, y, o), n in last.items()))
        work.execute("COMMIT")
    return companies


def _companies(count: int, own: list[tuple[str, int]], random: Random) -> Iterator[tuple[Any, ...]]:
    for k in range(count):
        company = UUID(int=random.getrandbits(128), version=4)
        name = f"{random.choice(FIRST)} {random.choice(SECOND)} {k + 1} Co., Ltd."
        yield k, own[k % len(own)][1], company.hex, str(company), name, random.randrange(10**12)


def _lives(
    templates: list[Template],
    count: int,
    companies: Mapping[str, list[int]],
    issued: Mapping[str, str | None],
    last: dict[tuple[str, int, str], int],
    random: Random,
) -> Iterator[tuple[Any, ...]]:
    """The lives, oldest first. A few companies have most certificates. Numbers have no gap in each office and year."""
    recent = [number for number, template in enumerate(templates) if template.kind in WAITING]
    decided = [number for number in range(len(templates)) if number not in recent]
    weights = [WEIGHTS[template.kind] for template in templates]
    waiting = round(count * sum(weights[each] for each in recent) / sum(weights))
    consignees = [f"{a} {b} {n:05}" for n in range(max(1, count // 5000)) for a in FIRST for b in SECOND]
    chosen = [
        *_spread(decided, [weights[each] for each in decided], count - waiting, DAYS, random),
        *_spread(recent, [weights[each] for each in recent], waiting, RECENT_DAYS, random),
    ]
    chosen.sort(key=lambda each: -each[1])
    offices, destinations = [each for each, _ in OFFICES], [each for each, _ in DESTINATIONS]
    salt = f"{random.getrandbits(40):010X}"
    for n, (number, days) in enumerate(chosen, start=1):
        template = templates[number]
        certificate_id = UUID(int=random.getrandbits(128), version=4)
        office = random.choices(offices, [each for _, each in OFFICES])[0]
        reference = None
        if template.reference:
            day = date.fromisoformat(str(issued[template.certificate_id])) - timedelta(days=days)
            form = template.reference.split("-")[0][:-4]
            serial = last[form, day.year, office] = last.get((form, day.year, office), 0) + 1
            reference = f"{form}{day.year}-{office}-{serial:06}"
        of = companies[template.exporter_id]
        yield (
            n,
            number,
            of[int(len(of) * random.random() ** 2)],
            -days * 86_400 - random.randrange(3600),
            certificate_id.hex,
            str(certificate_id),
            office,
            random.choices(destinations, [each for _, each in DESTINATIONS])[0],
            consignees[random.randrange(len(consignees))],
            reference,
            payment_reference_of(certificate_id),
            f"{salt}-{n}",
        )


def _spread(numbers: list[int], weights: list[int], count: int, most: int, random: Random) -> list[tuple[int, int]]:
    """So many lives of these templates, each with the number of days before its template, evenly up to `most`."""
    if not count:
        return []
    days = (most - most * number // count for number in range(count))
    return list(zip(random.choices(numbers, weights, k=count), days, strict=True))
