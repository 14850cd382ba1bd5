"""Verifies the audit log of a service on the operator's side: the hash and signature of every seal and every act."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from cli.target import CommandFailed
from shared.audit_log.seals import NO_FORMER, form_of, is_signed, sha256, statement_of
from shared.bus.client import BusClient
from shared.contracts.audit_log import MAX_ACTS, Act, Acts, ListActs, ListSeals, Seal, Seals

FIRST, LAST = -(2**63), 2**63 - 1
"""The range of a 64-bit integer. An inserted act may refer to the number of a seal that never existed."""

LINE = re.compile(r"^(\d+) ([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True)
class Checkpoint:
    """The last seal at a verification. If it is stored elsewhere, it proves that the earlier seals are unchanged."""

    number: int
    hash: str
    at: datetime


@dataclass
class Verification:
    """The result for one service. `differences`: one sentence for each act or seal that differs from what was sealed."""

    service: str
    country: str = ""
    acts: int = 0
    seals: int = 0
    unsealed: int = 0
    last: Checkpoint | None = None
    differences: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """The key of the checkpoint in the file: `COUNTRY/service`."""
        return f"{self.country}/{self.service}"


class Chain:
    """The chain of seals of one service. It is verified from the first seal to the last."""

    def __init__(self, bus: BusClient, service: str, keys: frozenset[str]) -> None:
        self._bus = bus
        self._keys = keys
        self._number = 0
        self._hash = NO_FORMER
        self.result = Verification(service)

    async def verify(self, saved: dict[str, Checkpoint]) -> Verification:
        """Reads and verifies all seals and acts. `saved`: the checkpoints of an earlier verification, by place."""
        page = await self._next_seals()
        known = saved.get(f"{page.country}/{page.service}")
        while page.seals:
            acts = await self._acts(page.seals[-1].number)
            for seal in page.seals:
                self._add(self._differences_of(seal, page), f"seal {seal.number}")
                self._compare(seal, acts.pop(seal.number, {}))
                self._advance(seal, page)
                if known and known.number == seal.number and known.hash != self._hash:
                    self._add(
                        (f"differs from the checkpoint of {known.at:%Y-%m-%d}: it or an earlier seal was rewritten",),
                        f"seal {seal.number}",
                    )
            self._add_orphans(acts)
            page = await self._next_seals()
        if known and known.number > self._number:
            self._add(
                (f"of the checkpoint of {known.at:%Y-%m-%d} is missing, and every seal after seal {self._number}",),
                f"seal {known.number}",
            )
        self.result.country, self.result.unsealed = page.country, page.unsealed
        return self.result

    def _add(self, differences: tuple[str, ...] | Iterator[str], where: str) -> None:
        self.result.differences.extend(f"{where} {difference}" for difference in differences)

    def _differences_of(self, seal: Seal, page: Seals) -> Iterator[str]:
        if seal.number != self._number + 1:
            yield f"follows seal {self._number}: the seals between them are missing"
        elif seal.former != self._hash:
            yield f"does not contain the hash of seal {self._number}"
        if seal.key not in self._keys:
            yield f"is signed by a key that is not of this service: {seal.key}"
        elif not is_signed(seal, statement_of(seal, page.service, page.country)):
            yield "was changed: its signature is not valid"
        if sha256(seal.sealed) != seal.batch:
            yield f"was changed: its lines differ from the sealed lines, so any of its {seal.acts} acts may be wrong"

    def _compare(self, seal: Seal, acts: dict[int, Act]) -> None:
        """Compares the acts of a seal with its sealed lines."""
        lines = dict(LINE.findall(seal.sealed))
        for act_id, digest in lines.items():
            act = acts.pop(int(act_id), None)
            if act is None:
                self._add((f"was removed: seal {seal.number} names it",), f"act {act_id}")
            elif sha256(form_of(act)) != digest:
                self._add((f"was changed since seal {seal.number}",), f"act {act_id}")
            else:
                self.result.acts += 1
        for inserted in acts:
            self._add((f"was inserted: seal {seal.number} does not name it",), f"act {inserted}")

    def _add_orphans(self, acts: dict[int, dict[int, Act]]) -> None:
        for number, under in acts.items():
            self._add((f"refers to seal {number}, which does not exist",), f"act {', '.join(map(str, under))}")

    def _advance(self, seal: Seal, page: Seals) -> None:
        self._number, self._hash = seal.number, sha256(statement_of(seal, page.service, page.country))
        self.result.seals += 1
        self.result.last = Checkpoint(seal.number, self._hash, seal.at)

    async def _next_seals(self) -> Seals:
        """The next page of seals. After the last seal no act may refer to a later one."""
        page = await self._seals()
        if not page.seals and (orphans := await self._acts(LAST)):
            page = await self._seals()  # a seal may have been written meanwhile
            if not page.seals:
                self._add_orphans(orphans)
        return page

    async def _seals(self) -> Seals:
        page: Seals = await self._bus.ask(ListSeals(after=self._number), service=self.result.service)
        numbers = [self._number, *(seal.number for seal in page.seals)]
        if numbers != sorted(set(numbers)):
            raise CommandFailed(f"{self.result.service} does not list its seals in ascending order.")
        return page

    async def _acts(self, last: int) -> dict[int, dict[int, Act]]:
        """The acts of the seals after the present one up to `last`, by seal number and act id."""
        found: dict[int, dict[int, Act]] = defaultdict(dict)
        first = self._number + 1 if self._number else FIRST
        after: int | None = None
        while True:
            question = ListActs(first_seal=first, last_seal=last, after=after)
            page: Acts = await self._bus.ask(question, service=self.result.service)
            for act in page.acts:
                found[act.seal or 0][act.id] = act
            if len(page.acts) < MAX_ACTS:
                return found
            after = page.acts[-1].id
