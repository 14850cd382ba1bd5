"""Sign-ins: persons sign in at registry, beside argon2id alone with the same cost on as many processors."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, process_time
from uuid import uuid4

from argon2 import PasswordHasher
from sqlalchemy import insert, make_url

from bench.figures import Conditions, Figure, middle
from deploy.embedded.stack import Stack
from services.registry.identity.domain.user import COMPANY_ROLES, Status
from services.registry.identity.password_hashing import LANES, MAX_HASHES, MEMORY_KIB, PASSES
from services.registry.identity.tables import users
from shared.bus.client import BusClient
from shared.contracts.registry.identity import OpenSession
from shared.database.engine import Database
from tests.support.ports import free_ports

FIGURES = ("sign_in",)

PASSWORD = "correct horse battery"
AT_ONCE = 16
COSTS = ((MEMORY_KIB, PASSES), (47_104, 1), (32_768, 3), (65_536, 3))
"""KiB of memory and passes. OWASP rates the first two as equal; the last is RFC 9106's for little memory, with one lane."""


async def measure(conditions: Conditions) -> list[Figure]:
    """Sign-ins per second of one replica, 16 at once; floor: verified passwords per second, on at most as many processors."""
    people = [f"{number}@company.example" for number in range(conditions.at_most(192, 16))]
    processors = min(MAX_HASHES, os.cpu_count() or 1)
    hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES)
    hashed = hasher.hash(PASSWORD)
    pairs, used = [], []
    async with Stack(conditions.folder, partners=(), services=("registry",), ports=free_ports) as stack:
        await _insert(people, hashed, stack.database_url("registry"))
        portal = await BusClient.connect("portal", stack.nats_url, stack.seed("portal"))
        async with portal:
            pid = stack.processes["registry"].pid
            assert pid
            await _sign_in(portal, people[:1])
            for _ in range(conditions.rounds):
                before = _seconds_of(pid)
                product = await _sign_in(portal, people)
                used.append((_seconds_of(pid) - before) / len(people) * 1000)
                pairs.append((product, _verify(hasher, hashed, len(people), processors)))
    costs = {} if conditions.quick else {f"{kib // 1024} MiB x {passes}": _alone(kib, passes) for kib, passes in COSTS}
    processor = {"processors": processors, "processor_ms_a_sign_in": round(min(used), 1)}
    return [middle("sign_in", "sign-ins/s", pairs, **processor, processor_ms_a_password=costs)]


async def _insert(people: list[str], hashed: str, url: str) -> None:
    """Persons of companies with one password."""
    of_all = {"name": "ចាន់ ដារ៉ា", "password_hash": hashed, "roles": sorted(COMPANY_ROLES), "status": Status.ACTIVE}
    rows = [of_all | {"user_id": uuid4(), "email": email, "organisation": str(uuid4())} for email in people]
    database = Database(make_url(url))
    try:
        async with database.writing() as transaction:
            await transaction.session.execute(insert(users), rows)
    finally:
        await database.close()


async def _sign_in(portal: BusClient, people: list[str]) -> float:
    """Everybody signs in once, 16 at a time. Returns the sign-ins per second."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(email: str) -> None:
        async with slots:
            await portal.ask(OpenSession(email=email, password=PASSWORD))

    began = perf_counter()
    await asyncio.gather(*map(one, people))
    return len(people) / (perf_counter() - began)


def _verify(hasher: PasswordHasher, hashed: str, times: int, processors: int) -> float:
    """Verified passwords per second, with one thread on each processor."""
    with ThreadPoolExecutor(processors) as threads:
        began = perf_counter()
        list(threads.map(lambda _: hasher.verify(hashed, PASSWORD), range(times)))
        return times / (perf_counter() - began)


def _alone(kib: int, passes: int) -> float:
    """Milliseconds of a processor for one password."""
    hasher = PasswordHasher(passes, kib, LANES)
    hashed = hasher.hash(PASSWORD)
    began = process_time()
    for _ in range(5):
        hasher.verify(hashed, PASSWORD)
    return round((process_time() - began) / 5 * 1000, 1)


def _seconds_of(pid: int) -> float:
    """The seconds of processors that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
