"""Takes certificates from their submission to the last public code, with a fixed number of lives under way.

A life: submit, the fee is assessed, pay, review, approve, issue, send to the partner, REC. Officers approve in lists: one
code confirms fifty approvals. This client never sends a question: it reads the tables of fees and tracking to see that an
invoice exists and that the public sees REC. It sends a request when the former step is seen, as a person would.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from time import monotonic
from typing import Protocol
from uuid import UUID, uuid4

from nats.aio.client import Client

from bench.cpu import cpu_of_machine, cpu_of_this_program
from bench.system import System
from shared.bus.connection import STEP_UP_HEADER, TOKEN_HEADER
from shared.contracts.certificates.issuing import ApproveCertificate, ReviewCertificate, SubmitCertificate
from shared.contracts.fees import RecordPayment
from shared.contracts.messages import Command
from shared.security.step_up import MAX_DECISIONS

UNDER_WAY = 40
"""Lives that are under way at the same time."""
LOOK_SECONDS = 0.02
"""The pause between two looks at the tables."""
PATIENCE = 120.0
"""Seconds in which a request must be answered, and within which an invoice or an arrival must be seen."""
SUBMITTED, REVIEWED = 2, 3
"""The versions of a certificate after these acts: a draft has 1."""
WORKSHEET = "Documents agree; the goods originate by the criterion approved for the product."


class Seen(Protocol):
    """What the tables show of some certificates."""

    async def invoiced(self, ids: Sequence[UUID]) -> Iterable[UUID]:
        """Those with an invoice."""

    async def received(self, ids: Sequence[UUID]) -> Iterable[UUID]:
        """Those that the public sees as received by the customs of the destination."""


class People(Protocol):
    """The people who send the requests."""

    async def token(self, who: str) -> str:
        """The actor token of the exporter, the cashier or the reviewer."""

    async def confirmed(self, commands: Sequence[ApproveCertificate]) -> tuple[str, str]:
        """Confirms a list; returns the actor token of the approver and the step-up token."""


class RealPeople:
    """The people of a running system."""

    def __init__(self, system: System) -> None:
        ministry = system.ministry
        self._approvers = ministry.approver
        self._people = {
            "exporter": system.exporter.person,
            "cashier": ministry.cashier.people[0],
            "reviewer": ministry.reviewer.people[0],
        }

    async def token(self, who: str) -> str:
        """The actor token, renewed before it ends."""
        return await self._people[who].client.token()

    async def confirmed(self, commands: Sequence[ApproveCertificate]) -> tuple[str, str]:
        """The officer who can confirm first confirms the list with one code."""
        client = self._approvers.next_officer().client
        given = await asyncio.gather(*(client.step_up(command) for command in commands))
        return await client.token(), given[0]


@dataclass
class Passage:
    """What a run has shown, between the first and the last moment at which all lives were under way.

    `cpu`: the seconds of processor of each process; `client_cpu`: those of this program; `machine_cpu`: those of all
    programs of this machine. `seconds_each`: of each life.
    """

    lives: int
    seconds: float
    cpu: dict[str, float]
    client_cpu: float
    machine_cpu: float
    seconds_each: list[float] = field(default_factory=list)

    @classmethod
    def median(cls, passages: "Sequence[Passage]") -> "Passage":
        """The passage with the median rate."""
        return sorted(passages, key=lambda each: each.rate)[len(passages) // 2]

    @property
    def rate(self) -> float:
        """Lives a second."""
        return self.lives / self.seconds

    @property
    def cpu_ms(self) -> float:
        """The milliseconds of processor of a life, over all processes but this program."""
        return sum(self.cpu_ms_by_process.values())

    @property
    def cpu_ms_by_process(self) -> dict[str, float]:
        """The milliseconds of processor of a life, by process."""
        return {name: 1000 * used / self.lives for name, used in self.cpu.items()}

    @property
    def cores_of_others(self) -> float:
        """The cores that programs outside of this measure have used: with many, a rate says little."""
        return (self.machine_cpu - self.client_cpu - sum(self.cpu.values())) / self.seconds

    def details(self) -> dict[str, object]:
        """The further values of a figure."""
        by_process = {name: round(ms, 1) for name, ms in sorted(self.cpu_ms_by_process.items(), key=lambda each: -each[1])}
        return {
            "lives": self.lives,
            "cpu_ms_by_process": by_process,
            "client_cpu_ms": round(1000 * self.client_cpu / self.lives, 1),
            "cores_of_others": round(self.cores_of_others, 2),
            "median_seconds": round(median(self.seconds_each), 2),
        }


class Passages:
    """One run.

    `client`: a connection as the portal's user. `cpu`: returns the seconds of processor of each process.
    """

    def __init__(
        self,
        client: Client,
        people: People,
        seen: Seen,
        *,
        amount_khr: int,
        today: date,
        cpu: Callable[[], dict[str, float]],
        under_way: int = UNDER_WAY,
    ) -> None:
        self._client, self._people, self._seen = client, people, seen
        self._amount_khr, self._today = amount_khr, today
        self._cpu, self._under_way = cpu, under_way
        self._wait_for_invoice: dict[UUID, asyncio.Event] = {}
        self._wait_for_receipt: dict[UUID, asyncio.Event] = {}
        self._lists: dict[UUID, _List] = {}
        self._seconds: list[float] = []
        self._marks: list[tuple[float, dict[str, float], float, float]] = []

    async def run(self, drafts: Sequence[UUID]) -> Passage:
        """Takes all drafts to their customs. `drafts`: more than twice as many as are under way.

        Raises OSError after a refusal, and TimeoutError if an answer, an invoice or an arrival takes two minutes.
        """
        count = len(drafts)
        if count <= 2 * self._under_way:
            raise ValueError(f"{count} lives are too few with {self._under_way} under way")
        for start in range(0, count, MAX_DECISIONS):
            part = drafts[start : start + MAX_DECISIONS]
            self._lists |= dict.fromkeys(part, _List(self._people, part))
        following = iter(drafts)
        try:
            async with asyncio.TaskGroup() as group:
                looking = group.create_task(self._look())
                workers = [group.create_task(self._lives(following, count)) for _ in range(self._under_way)]
                await asyncio.gather(*workers)
                looking.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        (began, before, *others), (ended, after, *others_after) = self._marks
        client, machine = (later - earlier for earlier, later in zip(others, others_after, strict=True))
        return Passage(
            lives=count - 2 * self._under_way,
            seconds=ended - began,
            cpu={name: after[name] - before[name] for name in after},
            client_cpu=client,
            machine_cpu=machine,
            seconds_each=self._seconds[self._under_way : -self._under_way],
        )

    async def _lives(self, following: Iterator[UUID], count: int) -> None:
        for certificate_id in following:
            began = monotonic()
            await self._life(certificate_id)
            self._seconds.append(monotonic() - began)
            if len(self._seconds) in (self._under_way, count - self._under_way):
                self._marks.append((monotonic(), self._cpu(), cpu_of_this_program(), cpu_of_machine()))

    async def _life(self, certificate_id: UUID) -> None:
        approval = self._lists[certificate_id]
        approval.begin()
        await self._send(SubmitCertificate(certificate_id=certificate_id), await self._people.token("exporter"))
        await _seen(self._wait_for_invoice, certificate_id, "its invoice")
        payment = RecordPayment(
            certificate_id=certificate_id,
            amount_khr=self._amount_khr,
            slip_number=f"SLIP-{uuid4().hex[:12].upper()}",
            paid_on=self._today,
        )
        await self._send(payment, await self._people.token("cashier"))
        review = ReviewCertificate(certificate_id=certificate_id, worksheet=WORKSHEET, version=SUBMITTED)
        await self._send(review, await self._people.token("reviewer"))
        await self._send(approval.command(certificate_id), *await approval.confirmed())
        await _seen(self._wait_for_receipt, certificate_id, "its receipt by customs")

    async def _send(self, command: Command, token: str, step_up: str | None = None) -> None:
        headers = {TOKEN_HEADER: token} | ({STEP_UP_HEADER: step_up} if step_up else {})
        body = command.model_dump_json().encode()
        reply = await self._client.request(command.subject, body, timeout=PATIENCE, headers=headers)
        if not reply.data.startswith(b'{"answer":'):
            raise OSError(f"{type(command).__name__} was refused: {reply.data.decode()[:500]}")

    async def _look(self) -> None:
        looks = ((self._wait_for_invoice, self._seen.invoiced), (self._wait_for_receipt, self._seen.received))
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for waiting, look in looks:
                if waiting:
                    for certificate_id in await look([*waiting]):
                        waiting[certificate_id].set()


class _List:
    """Approvals that are confirmed together, when the first of them is needed."""

    def __init__(self, people: People, ids: Sequence[UUID]) -> None:
        self._people = people
        self._commands = {each: ApproveCertificate(certificate_id=each, version=REVIEWED) for each in ids}
        self._confirming: asyncio.Task[tuple[str, str]] | None = None

    def begin(self) -> None:
        """Begins to confirm the list, at its first certificate."""
        if self._confirming is None:
            self._confirming = asyncio.create_task(self._people.confirmed([*self._commands.values()]))

    def command(self, certificate_id: UUID) -> ApproveCertificate:
        """The confirmed command for a certificate."""
        return self._commands[certificate_id]

    async def confirmed(self) -> tuple[str, str]:
        """The actor token and the step-up token, once the list is confirmed."""
        assert self._confirming is not None
        return await asyncio.shield(self._confirming)


async def _seen(waiting: dict[UUID, asyncio.Event], certificate_id: UUID, what: str) -> None:
    """Waits until it is seen. Raises TimeoutError."""
    waiting[certificate_id] = asyncio.Event()
    try:
        await asyncio.wait_for(waiting[certificate_id].wait(), PATIENCE)
    except TimeoutError:
        raise TimeoutError(f"certificate {certificate_id} waited {PATIENCE:.0f} s for {what}") from None
    finally:
        del waiting[certificate_id]
