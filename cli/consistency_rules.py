"""What must hold between services, and how it is compared: implications, for one service may know more than another."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.bus.client import BusClient, NobodyAnswers
from shared.contracts import operations
from shared.contracts.index import events, owner_of


@dataclass(frozen=True)
class Implication:
    """Whatever the first fact is true of, the second is true of too. A fact is named `service.fact`."""

    says: str
    premise: str
    conclusion: str
    since_heard: bool = False
    """Whether only events count that were announced since the listener began to remember."""

    @property
    def services(self) -> set[str]:
        """The services that are asked."""
        return {self.premise.partition(".")[0], self.conclusion.partition(".")[0]}


def both_ways(says: str, one: str, other: str) -> tuple[Implication, Implication]:
    """Two facts that are true of the same."""
    return Implication(says, one, other), Implication(f"{says}, and nothing else", other, one)


IMPLICATIONS = (
    *both_ways("a company that was ever registered is known", "registry.registered", "certificates.exporters"),
    *both_ways("a suspended company cannot ask for certificates", "registry.suspended", "certificates.suspended"),
    *both_ways("a company whose year is over cannot ask for certificates", "registry.expired", "certificates.expired"),
    *both_ways("a mandate that was ever granted is known", "registry.mandated", "certificates.mandated"),
    *both_ways("a submitted certificate has one fee", "certificates.submitted", "fees.assessed"),
    Implication("an issued certificate is paid", "certificates.issued", "fees.settled"),
    Implication("a settled fee is known to certificates", "fees.settled", "certificates.settled"),
    Implication("certificates knows of no fee that was never settled", "certificates.settled", "fees.once_settled"),
    *both_ways("an issued certificate is sent once", "certificates.issued", "gateway.first_sent"),
    *both_ways("a number is that of one document", "certificates.numbered", "gateway.numbered"),
    *both_ways("a number can be followed by the public", "certificates.numbered", "tracking.numbered"),
    *both_ways("AS1 is shown", "gateway.transmitted", "tracking.transmitted"),
    *both_ways("REC is shown, with AS1 and AS2 before it", "gateway.received", "tracking.received"),
    *both_ways("NOT is shown", "gateway.rejected", "tracking.rejected"),
    *(
        Implication(
            f"{event.__name__} was heard",
            f"{owner_of(event)}.{operations.announced(event)}",
            f"{listener}.{operations.heard(event)}",
            since_heard=True,
        )
        for event in events()
        for listener in sorted(event.listeners)
    ),
)

GAP_FREE = "certificates.numbered"
NEVER = {"fees.unbalanced": "what an invoice counts as paid is in the books, slip by slip"}


@dataclass(frozen=True)
class Finding:
    """Whether one rule holds, of how many keys, and the keys of which it does not."""

    says: str
    count: int
    offenders: tuple[str, ...] = ()
    lost: int = 0
    """Keys of which it does not hold because a service came back from an older copy, as its operators have confirmed."""

    @property
    def holds(self) -> bool:
        """Whether there is no offender."""
        return not self.offenders


class Ledgers:
    """What the services vouch for at one time; lists of keys are asked for only where digests differ."""

    def __init__(self, asker: BusClient, services: Iterable[str]) -> None:
        self._asker = asker
        self._services = tuple(services)
        self.silent: set[str] = set()
        self._digests: dict[str, operations.Digest] = {}

    async def open(self) -> None:
        """Asks every service for its digests."""

        async def ask(service: str) -> None:
            try:
                self._digests[service] = await self._asker.ask(operations.AskDigest(), service=service)
            except NobodyAnswers:
                self.silent.add(service)

        await asyncio.gather(*map(ask, self._services))

    def facts(self) -> dict[str, operations.Fact]:
        """Every fact, as `service.fact`."""
        return {f"{service}.{fact.name}": fact for service, digest in self._digests.items() for fact in digest.facts}

    def heard_since(self, fact: str) -> datetime | None:
        """When the service of a fact took the first event that it remembers."""
        return self._digests[fact.partition(".")[0]].heard_since

    async def keys(self, fact: str, *, since: datetime | None = None, repeated: bool = False) -> set[str]:
        """The keys of a fact."""
        service, _, name = fact.partition(".")
        return await self._pages(
            service, lambda after: operations.ListKeys(fact=name, after=after, since=since, repeated=repeated)
        )

    async def lost(self, fact: str) -> set[str]:
        """The keys of a fact that its service lost, and whose loss its operators confirmed."""
        service, _, name = fact.partition(".")
        return await self._pages(service, lambda after: operations.ListLostKeys(fact=name, after=after))

    async def _pages(self, service: str, question: Callable[[str], operations.ListKeys | operations.ListLostKeys]) -> set[str]:
        found: set[str] = set()
        after = ""
        while True:
            page: operations.Keys = await self._asker.ask(question(after), service=service)
            found.update(page.keys)
            if len(page.keys) < operations.MAX_KEYS:
                return found
            after = page.keys[-1]

    async def offenders(self, rule: Implication) -> set[str]:
        """The keys of the premise that the conclusion lacks."""
        facts = self.facts()
        if facts[rule.premise].digest == facts[rule.conclusion].digest:
            return set()
        since = self.heard_since(rule.conclusion) if rule.since_heard else None
        return await self.keys(rule.premise, since=since) - await self.keys(rule.conclusion)

    def rules(self) -> list[Implication]:
        """The implications between services that answer."""
        return [rule for rule in IMPLICATIONS if rule.services <= set(self._digests)]

    async def findings(self) -> list[Finding]:
        """Every rule, and whether it holds."""
        found = [await self._judge(rule) for rule in self.rules()]
        facts = self.facts()
        if GAP_FREE in facts:
            found.append(await self._gaps(facts[GAP_FREE].count))
        for fact, says in NEVER.items():
            if fact in facts:
                found.append(Finding(says, facts[fact].count, tuple(sorted(await self.keys(fact)))))
        repeated = [name for name, fact in facts.items() if fact.repeated]
        twice = [f"{name} {key}" for name in repeated for key in sorted(await self.keys(name, repeated=True))]
        return [*found, Finding("nothing is there twice", sum(fact.count for fact in facts.values()), tuple(twice))]

    async def _judge(self, rule: Implication) -> Finding:
        offenders = await self.offenders(rule)
        lost = offenders & await self.lost(rule.conclusion) if offenders else set()
        count = self.facts()[rule.premise].count
        return Finding(f"{rule.says}: {rule.premise} → {rule.conclusion}", count, tuple(sorted(offenders - lost)), len(lost))

    async def _gaps(self, count: int) -> Finding:
        lost = await self.lost(GAP_FREE)
        return Finding("numbers have no gap", count, tuple(missing_numbers(await self.keys(GAP_FREE) | lost)), len(lost))


def missing_numbers(references: Iterable[str]) -> list[str]:
    """The numbers that should be there before the last of each office, form and year, and are not."""
    series: dict[str, set[int]] = defaultdict(set)
    for reference in references:
        name, _, serial = reference.rpartition("-")
        series[name].add(int(serial))
    return [
        f"{name}-{missing:06}"
        for name, given in sorted(series.items())
        for missing in sorted(set(range(1, max(given) + 1)) - given)
    ]
