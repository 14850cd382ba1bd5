"""How the trail of a service is computed again: every seal and every act under it, on the operator's side."""

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
"""All that a database can hold: an act may have been put under a number that was never a seal's."""

LINE = re.compile(r"^(\d+) ([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True)
class Checkpoint:
    """The last seal that was seen: whoever keeps it elsewhere can prove what stood before it."""

    number: int
    hash: str
    at: datetime


@dataclass
class Proof:
    """What was found of one service. `doubts`: what is not as it was sealed, each in words."""

    service: str
    country: str = ""
    acts: int = 0
    seals: int = 0
    unsealed: int = 0
    last: Checkpoint | None = None
    doubts: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """What the checkpoint is kept under."""
        return f"{self.country}/{self.service}"


class Chain:
    """The seals of one service, followed from the first to the last."""

    def __init__(self, asker: BusClient, service: str, keys: frozenset[str]) -> None:
        self._asker = asker
        self._keys = keys
        self._number = 0
        self._hash = NO_FORMER
        self.proof = Proof(service)

    async def follow(self, saved: dict[str, Checkpoint]) -> Proof:
        """Reads and computes everything. `saved`: the checkpoints of a former time."""
        page = await self._next_seals()
        known = saved.get(f"{page.country}/{page.service}")
        while page.seals:
            acts = await self._acts(page.seals[-1].number)
            for seal in page.seals:
                self._doubt(self._wrong_with(seal, page), f"seal {seal.number}")
                self._compare(seal, acts.pop(seal.number, {}))
                self._note(seal, page)
                if known and known.number == seal.number and known.hash != self._hash:
                    self._doubt(
                        (f"is not the one that stood there on {known.at:%Y-%m-%d}: what is before it was rewritten",),
                        f"seal {seal.number}",
                    )
            self._stray(acts)
            page = await self._next_seals()
        if known and known.number > self._number:
            self._doubt(
                (f"stood there on {known.at:%Y-%m-%d} and is gone, and what came after seal {self._number}",),
                f"seal {known.number}",
            )
        self.proof.country, self.proof.unsealed = page.country, page.unsealed
        return self.proof

    def _doubt(self, whats: tuple[str, ...] | Iterator[str], where: str) -> None:
        self.proof.doubts.extend(f"{where} {what}" for what in whats)

    def _wrong_with(self, seal: Seal, page: Seals) -> Iterator[str]:
        if seal.number != self._number + 1:
            yield f"comes after seal {self._number}: what stood between them is gone"
        elif seal.former != self._hash:
            yield f"does not follow what stands as seal {self._number}"
        if seal.key not in self._keys:
            yield f"is signed by another key than that of the service: {seal.key}"
        elif not is_signed(seal, statement_of(seal, page.service, page.country)):
            yield "was changed: its signature does not fit what it says"
        if sha256(seal.sealed) != seal.batch:
            yield f"was changed: its lines are not those that were sealed, so that any of its {seal.acts} acts may be wrong"

    def _compare(self, seal: Seal, acts: dict[int, Act]) -> None:
        """Names every act that is not there as it was sealed."""
        lines = dict(LINE.findall(seal.sealed))
        for act_id, digest in lines.items():
            act = acts.pop(int(act_id), None)
            if act is None:
                self._doubt((f"was removed: seal {seal.number} names it",), f"act {act_id}")
            elif sha256(form_of(act)) != digest:
                self._doubt((f"was changed since seal {seal.number}",), f"act {act_id}")
            else:
                self.proof.acts += 1
        for inserted in acts:
            self._doubt((f"was inserted: seal {seal.number} does not name it",), f"act {inserted}")

    def _stray(self, acts: dict[int, dict[int, Act]]) -> None:
        for number, under in acts.items():
            self._doubt((f"stands under seal {number}, which is not there",), f"act {', '.join(map(str, under))}")

    def _note(self, seal: Seal, page: Seals) -> None:
        self._number, self._hash = seal.number, sha256(statement_of(seal, page.service, page.country))
        self.proof.seals += 1
        self.proof.last = Checkpoint(seal.number, self._hash, seal.at)

    async def _next_seals(self) -> Seals:
        """The seals that follow; where there is none, nothing may stand under one either."""
        page = await self._seals()
        if not page.seals and (stray := await self._acts(LAST)):
            page = await self._seals()  # it may have been set just now
            if not page.seals:
                self._stray(stray)
        return page

    async def _seals(self) -> Seals:
        page: Seals = await self._asker.ask(ListSeals(after=self._number), service=self.proof.service)
        numbers = [self._number, *(seal.number for seal in page.seals)]
        if numbers != sorted(set(numbers)):
            raise CommandFailed(f"{self.proof.service} does not list its seals in order: it cannot be believed.")
        return page

    async def _acts(self, last: int) -> dict[int, dict[int, Act]]:
        """The acts after the present seal and up to the last, by the number of their seal and by their id."""
        found: dict[int, dict[int, Act]] = defaultdict(dict)
        first = self._number + 1 if self._number else FIRST
        after: int | None = None
        while True:
            question = ListActs(first_seal=first, last_seal=last, after=after)
            page: Acts = await self._asker.ask(question, service=self.proof.service)
            for act in page.acts:
                found[act.seal or 0][act.id] = act
            if len(page.acts) < MAX_ACTS:
                return found
            after = page.acts[-1].id
