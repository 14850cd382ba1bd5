"""Processes that are kept running: one that dies is started again, with a growing pause."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import httpx

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
STEADY = 30.0
"""Seconds after which a process that dies counts as one that had been well."""
POLL = 0.2
GRACE = 25.0
"""Seconds in which a process that is told to stop may finish what it has begun."""
RECOVERING = b'"recovering":true'
LARGEST_LOG = 32 * 1024 * 1024

_TIED = Path(__file__).with_name("tied.py")

Tell = Callable[[str, str], None]
"""Hears the name of a process and what has become of it."""


class StackFailed(Exception):
    """The embedded run cannot start or go on; the message says why in one sentence."""


@dataclass(frozen=True)
class Program:
    """What to run, and the address that answers once it is ready."""

    name: str
    command: tuple[str, ...]
    log_file: Path
    ready_url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    any_answer: bool = False
    """Whether it is ready as soon as it answers anything."""


class Supervised:
    """One program, run as a child process that cannot outlive this one."""

    def __init__(self, program: Program, tell: Tell) -> None:
        self.program = program
        self.restarts = 0
        self._tell = tell
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._was_ready = False

    @property
    def pid(self) -> int | None:
        """The number of the process, while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Starts the process and keeps it running until it is stopped; does nothing if it is being kept running."""
        if self._watch is None:
            await self._spawn()
            self._watch = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """Lets the process finish what it has begun, and leaves it stopped."""
        if self._watch is None:
            return
        self._watch.cancel()
        await asyncio.wait({self._watch})
        self._watch = None
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), GRACE)
        except TimeoutError:
            self._tell(self.program.name, f"did not stop within {GRACE:.0f} s and is killed")
        self.kill()
        await self._process.wait()

    def kill(self) -> None:
        """Kills the process and whatever it has started, at once. It is started again unless it was stopped."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def ready(self, http: httpx.AsyncClient, within: float) -> None:
        """Waits until the process says that it is ready, or that it waits for its operators.

        Raises StackFailed if it dies first or takes too long.
        """
        until = monotonic() + within
        while monotonic() < until:
            with suppress(httpx.TransportError):
                answer = await http.get(self.program.ready_url)
                recovering = RECOVERING in answer.content
                if answer.is_success or recovering or self.program.any_answer:
                    self._was_ready = True
                    if recovering:
                        self._tell(
                            self.program.name, f"is in recovery and changes nothing: run `co recover {self.program.name}`"
                        )
                    return
            if not self._was_ready and self._process and self._process.returncode is not None:
                raise StackFailed(
                    f"{self.program.name} ended with code {self._process.returncode} before it was ready; "
                    f"its log is {self.program.log_file}."
                )
            await asyncio.sleep(POLL)
        raise StackFailed(f"{self.program.name} was not ready within {within:.0f} s; its log is {self.program.log_file}.")

    async def _spawn(self) -> None:
        log_file = self.program.log_file
        if log_file.exists() and log_file.stat().st_size > LARGEST_LOG:
            log_file.rename(log_file.with_suffix(".log.1"))
        with log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-IS", str(_TIED), str(os.getpid()), *self.program.command),
                env=dict(self.program.environment),
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                process_group=0,
            )

    async def _keep_running(self) -> None:
        pause = FIRST_PAUSE
        while self._process is not None:
            began = monotonic()
            code = await self._process.wait()
            self.kill()
            if monotonic() - began > STEADY:
                pause = FIRST_PAUSE
            if not self._was_ready:
                return  # whoever waits for it says so
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            self._tell(self.program.name, f"{how}; it is started again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            self.restarts += 1
            await self._spawn()
