"""The state of every document in a region, read from the databases of all gateways, and an audit of both sides."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from shared.contracts.gateway.transmissions import NEXT_CODES, StatusCode

SENT = """
SELECT t.destination, t.reference, t.number, t.began_at, (
  SELECT group_concat(code, ' ')
  FROM (SELECT s.code FROM steps s WHERE s.transmission_id = t.transmission_id ORDER BY s.position)
) FROM transmissions t
"""
RECEIVED = """
SELECT sender, reference, number, decided_at IS NOT NULL, json_array_length(reasons), returned_at IS NOT NULL
FROM inbound_documents
"""
WAITING, ARRIVED = "AS1", "AS2"


@dataclass(frozen=True)
class Sent:
    """A document as its sender knows it. `codes`: the codes that it reached, in order."""

    sender: str
    receiver: str
    reference: str
    number: int
    began_at: datetime
    codes: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, int]:
        """The sender, the reference and the number."""
        return self.sender, self.reference, self.number


@dataclass(frozen=True)
class Received:
    """A document as its receiver knows it. `code`: the decision of customs, REC or NOT; None before it."""

    code: str | None
    returned: bool


@dataclass
class Lane:
    """The documents from one country to another: how many are at each code, and since when the oldest waits."""

    codes: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None


@dataclass(frozen=True)
class RegionState:
    """Every document, as its sender and as its receiver know it."""

    sent: tuple[Sent, ...]
    received: Mapping[str, Mapping[tuple[str, str, int], Received]]

    @classmethod
    def read(cls, databases: Mapping[str, Path]) -> "RegionState":
        """Reads the databases of the gateways, by country."""
        sent = tuple(each for country, file in databases.items() for each in _sent(country, file))
        return cls(sent, {country: dict(_received(file)) for country, file in databases.items()})

    def lanes(self) -> dict[tuple[str, str], Lane]:
        """The documents by sender and receiver."""
        found: dict[tuple[str, str], Lane] = {}
        for each in self.sent:
            lane = found.setdefault((each.sender, each.receiver), Lane())
            code = each.codes[-1] if each.codes else "?"
            lane.codes[code] += 1
            if code in (WAITING, ARRIVED):
                lane.oldest = min(lane.oldest or each.began_at, each.began_at)
        return found

    def counts(self) -> Counter[str]:
        """How many documents are at each code."""
        return Counter(each.codes[-1] if each.codes else "?" for each in self.sent)

    def repeated(self) -> list[str]:
        """Each document that reached a code twice."""
        return [each.reference for each in self.sent if len(set(each.codes)) != len(each.codes)]

    def as_json(self) -> dict[str, object]:
        """Counts by code, by lane, and the disagreements."""
        lanes = {
            f"{sender}-{receiver}": dict(lane.codes) | ({"oldest": lane.oldest.isoformat()} if lane.oldest else {})
            for (sender, receiver), lane in sorted(self.lanes().items())
        }
        return {"counts": dict(self.counts()), "lanes": lanes, "disagreements": self.disagreements()}

    def disagreements(self) -> list[str]:
        """Each document about which sender and receiver do not agree, or whose codes are not in an allowed order."""
        found = [f"{each.reference}: codes {' '.join(each.codes)}" for each in self.sent if not is_allowed(each.codes)]
        for each in self.sent:
            there = self.received[each.receiver].get(each.key)
            if (problem := _problem(each.codes[-1] if each.codes else "", there)) is not None:
                found.append(f"{each.reference} from {each.sender} to {each.receiver}: {problem}")
        known = {each.key for each in self.sent}
        for country, documents in self.received.items():
            found += [f"{key[1]}: {country} has a document that {key[0]} did not send" for key in documents if key not in known]
        return found


def is_allowed(codes: tuple[str, ...]) -> bool:
    """Whether each code may follow the one before it."""
    before: StatusCode | None = None
    for code in codes:
        if code not in NEXT_CODES[before]:
            return False
        before = StatusCode(code)
    return True


def _problem(code: str, there: Received | None) -> str | None:
    if code in ("REC", "UTL", "UTP", "DEN") and (there is None or there.code != "REC"):
        return f"the sender has {code}, the receiver has {there.code if there else 'nothing'}"
    if code == "NOT" and there is not None and there.code == "REC":
        return "the sender has NOT, the receiver has REC"
    if code == "AS2" and there is None:
        return "the sender has AS2, the receiver has nothing"
    if there is not None and there.returned and code in (WAITING, ARRIVED):
        return f"the receiver has returned {there.code}, the sender has {code}"
    return None


def _sent(country: str, file: Path) -> Iterator[Sent]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        for destination, reference, number, began_at, codes in database.execute(SENT):
            at = datetime.fromisoformat(began_at.replace("Z", "+00:00"))
            yield Sent(country, destination, reference, number, at, tuple((codes or "").split()))


def _received(file: Path) -> Iterator[tuple[tuple[str, str, int], Received]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        for sender, reference, number, decided, refused, returned in database.execute(RECEIVED):
            code = ("NOT" if refused else "REC") if decided else None
            yield (sender, reference, number), Received(code, bool(returned))
