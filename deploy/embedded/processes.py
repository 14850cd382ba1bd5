"""Supervises child processes: a process that ends is restarted, with exponential backoff."""

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

MIN_BACKOFF, MAX_BACKOFF = 0.2, 10.0
STABLE_AFTER = 30.0
"""The backoff starts at its minimum again after a process has run for these seconds."""
POLL = 0.2
GRACE = 25.0
"""The seconds from SIGTERM to SIGKILL."""
RECOVERING = b'"recovering":true'
MAX_LOG_BYTES = 32 * 1024 * 1024

_TIED = Path(__file__).with_name("tied.py")

Report = Callable[[str, str], None]
"""Receives the name of a process and its new state."""


class StackFailed(Exception):
    """The embedded run cannot start or continue. The message gives the reason in one sentence."""


@dataclass(frozen=True)
class Program:
    """A command, its log file, and the address that answers when it is ready."""

    name: str
    command: tuple[str, ...]
    log_file: Path
    ready_url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    any_answer: bool = False
    """Whether any answer, also an error, means ready."""


class Supervised:
    """A program that runs as a child process and ends with this process."""

    def __init__(self, program: Program, report: Report) -> None:
        self.program = program
        self.restarts = 0
        self._report = report
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._was_ready = False

    @property
    def pid(self) -> int | None:
        """The process id, or None if it does not run."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Starts the process and restarts it until `stop`. Idempotent."""
        if self._watch is None:
            await self._spawn()
            self._watch = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """Stops the process with SIGTERM, and with SIGKILL after the grace period."""
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
            self._report(self.program.name, f"did not stop within {GRACE:.0f} s and is killed")
        self.kill()
        await self._process.wait()

    def kill(self) -> None:
        """Kills the process group at once. The process is restarted unless it was stopped."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def ready(self, http: httpx.AsyncClient, within: float) -> None:
        """Waits until the process is ready or in recovery, at most `within` seconds.

        Raises StackFailed if it ends before, or is not ready in time.
        """
        until = monotonic() + within
        while monotonic() < until:
            with suppress(httpx.TransportError):
                answer = await http.get(self.program.ready_url)
                recovering = RECOVERING in answer.content
                if answer.is_success or recovering or self.program.any_answer:
                    self._was_ready = True
                    if recovering:
                        self._report(
                            self.program.name, f"is in recovery and refuses commands: run `co recover {self.program.name}`"
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
        if log_file.exists() and log_file.stat().st_size > MAX_LOG_BYTES:
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
        backoff = MIN_BACKOFF
        while self._process is not None:
            began = monotonic()
            code = await self._process.wait()
            self.kill()
            if monotonic() - began > STABLE_AFTER:
                backoff = MIN_BACKOFF
            if not self._was_ready:
                return  # `ready` raises StackFailed
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            self._report(self.program.name, f"{how}; it restarts in {backoff:.1f} s")
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, MAX_BACKOFF)
            self.restarts += 1
            await self._spawn()
