"""Measures the cost of a sign-in for several costs of a password hash: `python -m bench.sign_in`.

Sixteen users sign in at a time. Handlers of registry are called without a bus, on SQLite; at most two processors hash.
"""

import asyncio
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from services.registry.identity.password_hashing import MEMORY_KIB, PASSES, Passwords
from shared.contracts.registry.identity import OpenSession, Session
from tests.registry.people import PASSPHRASE, a_registry, somebody_of_a_company

COSTS = ((19_456, 2), (47_104, 1), (32_768, 3), (65_536, 3))
"""KiB of memory and passes. OWASP rates the first two as equal; the last is RFC 9106's for little memory, with one lane."""
USERS, AT_ONCE = 64, 16


async def measure(memory_kib: int, passes: int) -> None:
    passwords = Passwords(memory_kib, passes)
    hashed = await passwords.hash(PASSPHRASE)
    began = process_time()
    for _ in range(5):
        assert (await passwords.verify(hashed, PASSPHRASE)).right
    alone = (process_time() - began) / 5
    with tempfile.TemporaryDirectory() as folder:
        async with a_registry(Path(folder), passwords=passwords) as service:
            people = [await somebody_of_a_company(service) for _ in range(USERS)]
            slots = asyncio.Semaphore(AT_ONCE)

            async def sign_in(email: str) -> None:
                async with slots:
                    assert isinstance(await service.ask(OpenSession(email=email, password=PASSPHRASE)), Session)

            began = perf_counter()
            await asyncio.gather(*(sign_in(human.email) for human in people))
            rate = USERS / (perf_counter() - began)
    chosen = "  <- chosen" if (memory_kib, passes) == (MEMORY_KIB, PASSES) else ""
    print(
        f"{memory_kib / 1024:5.0f} MiB x {passes}: {alone * 1000:5.0f} ms of a processor, {rate:5.1f} sign-ins a second{chosen}"
    )


if __name__ == "__main__":
    for cost in COSTS:
        asyncio.run(measure(*cost))
