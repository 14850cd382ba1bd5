"""The consistency rules between services. Each rule is an implication, because one service may know more than another."""

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
    """Every key of the first fact must be a key of the second. A fact is named `service.fact`."""

    says: str
    premise: str
    conclusion: str
    since_first_received: bool = False
    """Whether to compare only events that are newer than the first one in the inbox of the listener."""

    @property
    def services(self) -> set[str]:
        """The services of both facts."""
        return {self.premise.partition(".")[0], self.conclusion.partition(".")[0]}


def equivalence(says: str, one: str, other: str) -> tuple[Implication, Implication]:
    """Two facts that must have the same keys: an implication in each direction."""
    return Implication(says, one, other), Implication(f"{says}, and nothing else", other, one)


IMPLICATIONS = (
    *equivalence("a company that was ever registered is known", "registry.registered", "certificates.exporters"),
    *equivalence("a suspended company cannot request certificates", "registry.suspended", "certificates.suspended"),
    *equivalence(
        "a company with an expired registration cannot request certificates", "registry.expired", "certificates.expired"
    ),
    *equivalence("a mandate that was ever granted is known", "registry.mandated", "certificates.mandated"),
    *equivalence("a submitted certificate has one fee", "certificates.submitted", "fees.assessed"),
    Implication("an issued certificate is paid", "certificates.issued", "fees.settled"),
    Implication("a settled fee is known to certificates", "fees.settled", "certificates.settled"),
    Implication("every settled fee in certificates was once settled in fees", "certificates.settled", "fees.once_settled"),
    Implication("an issued certificate of an exchanged form is sent once", "certificates.exchanged", "gateway.first_sent"),
    Implication("a certificate that is sent was issued", "gateway.first_sent", "certificates.issued"),
    Implication("every number of an exchanged form has one document", "certificates.exchanged_numbers", "gateway.numbered"),
    Implication("every document that is sent has a number of ours", "gateway.numbered", "certificates.numbered"),
    *equivalence("every number is on the public page", "certificates.numbered", "tracking.numbered"),
    *equivalence("the public page shows AS1", "gateway.transmitted", "tracking.transmitted"),
    *equivalence("the public page shows REC, after AS1 and AS2", "gateway.received", "tracking.received"),
    *equivalence("the public page shows NOT", "gateway.rejected", "tracking.rejected"),
    *equivalence("a certified exporter can be checked", "certificates.certified_exporters", "tracking.certified_exporters"),
    *equivalence("a received document can be an original", "gateway.originals", "certificates.originals"),
    *(
        Implication(
            f"{event.__name__} was received",
            f"{owner_of(event)}.{operations.announced(event)}",
            f"{listener}.{operations.heard(event)}",
            since_first_received=True,
        )
        for event in events()
        for listener in sorted(event.listeners)
    ),
)

GAP_FREE = "certificates.numbered"
NEVER = {"fees.unbalanced": "the paid amount of every invoice is the sum of its slips"}


@dataclass(frozen=True)
class Finding:
    """The result of one rule: the number of compared keys, and the keys that break the rule."""

    says: str
    count: int
    offenders: tuple[str, ...] = ()
    lost: int = 0
    """The number of keys that a restored database has lost, as its operator has confirmed. They are no offenders."""

    @property
    def holds(self) -> bool:
        """Whether there is no offender."""
        return not self.offenders


class FactReader:
    """Reads the facts of the services at one time. It requests lists of keys only where digests differ."""

    def __init__(self, bus: BusClient, services: Iterable[str]) -> None:
        self._bus = bus
        self._services = tuple(services)
        self.silent: set[str] = set()
        self._digests: dict[str, operations.Digest] = {}

    async def load(self) -> None:
        """Requests the digests of every service. Services that do not answer are in `silent`."""

        async def ask(service: str) -> None:
            try:
                self._digests[service] = await self._bus.ask(operations.AskDigest(), service=service)
            except NobodyAnswers:
                self.silent.add(service)

        await asyncio.gather(*map(ask, self._services))

    def facts(self) -> dict[str, operations.Fact]:
        """Every fact by its name, `service.fact`."""
        return {f"{service}.{fact.name}": fact for service, digest in self._digests.items() for fact in digest.facts}

    def first_received_at(self, fact: str) -> datetime | None:
        """When the service of a fact received the oldest event of its inbox."""
        return self._digests[fact.partition(".")[0]].heard_since

    async def keys(self, fact: str, *, since: datetime | None = None, repeated: bool = False) -> set[str]:
        """The keys of a fact."""
        service, _, name = fact.partition(".")
        return await self._pages(
            service, lambda after: operations.ListKeys(fact=name, after=after, since=since, repeated=repeated)
        )

    async def lost(self, fact: str) -> set[str]:
        """The keys of a fact that its service has lost, as its operator has confirmed."""
        service, _, name = fact.partition(".")
        return await self._pages(service, lambda after: operations.ListLostKeys(fact=name, after=after))

    async def _pages(self, service: str, question: Callable[[str], operations.ListKeys | operations.ListLostKeys]) -> set[str]:
        found: set[str] = set()
        after = ""
        while True:
            page: operations.Keys = await self._bus.ask(question(after), service=service)
            found.update(page.keys)
            if page.next is None:
                return found
            after = page.next

    async def offenders(self, rule: Implication) -> set[str]:
        """The keys of the premise that are missing in the conclusion."""
        facts = self.facts()
        if facts[rule.premise].digest == facts[rule.conclusion].digest:
            return set()
        since = self.first_received_at(rule.conclusion) if rule.since_first_received else None
        return await self.keys(rule.premise, since=since) - await self.keys(rule.conclusion)

    def rules(self) -> list[Implication]:
        """The implications between services that have answered."""
        return [rule for rule in IMPLICATIONS if rule.services <= set(self._digests)]

    async def findings(self) -> list[Finding]:
        """The finding of every rule."""
        found = [await self._check(rule) for rule in self.rules()]
        facts = self.facts()
        if GAP_FREE in facts:
            found.append(await self._gaps(facts[GAP_FREE].count))
        for fact, says in NEVER.items():
            if fact in facts:
                found.append(Finding(says, facts[fact].count, tuple(sorted(await self.keys(fact)))))
        repeated = [name for name, fact in facts.items() if fact.repeated]
        duplicates = [f"{name} {key}" for name in repeated for key in sorted(await self.keys(name, repeated=True))]
        return [*found, Finding("there are no duplicates", sum(fact.count for fact in facts.values()), tuple(duplicates))]

    async def _check(self, rule: Implication) -> Finding:
        offenders = await self.offenders(rule)
        lost = offenders & await self.lost(rule.conclusion) if offenders else set()
        count = self.facts()[rule.premise].count
        return Finding(f"{rule.says}: {rule.premise} → {rule.conclusion}", count, tuple(sorted(offenders - lost)), len(lost))

    async def _gaps(self, count: int) -> Finding:
        lost = await self.lost(GAP_FREE)
        return Finding("numbers have no gap", count, tuple(missing_numbers(await self.keys(GAP_FREE) | lost)), len(lost))


def missing_numbers(references: Iterable[str]) -> list[str]:
    """The missing numbers below the highest number of each office, form and year."""
    series: dict[str, set[int]] = defaultdict(set)
    for reference in references:
        name, _, serial = reference.rpartition("-")
        series[name].add(int(serial))
    return [
        f"{name}-{missing:06}"
        for name, given in sorted(series.items())
        for missing in sorted(set(range(1, max(given) + 1)) - given)
    ]
