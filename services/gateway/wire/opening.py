"""Opens what partners send: bounds, signature and content, in processes of their own that can be ended.

Work for a message begins with nothing known of its sender but a claim. So at most two messages are opened at once, each sender
and address takes its turn, what all of them hold is bounded, and a process that takes too long or has grown is replaced.
"""

import asyncio
import logging
import re
import resource
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError

from services.gateway.wire import xml
from services.gateway.wire.bounds import OutOfBounds, SignatureShapeWrong, must_be_in_bounds
from services.gateway.wire.messages import Envelope, Told
from services.gateway.wire.signature import NotGenuine, as_signed
from shared.runtime.process_pool import ProcessPool

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Processes, so messages that are opened at once."""
OPENED_WITHIN = 20.0
"""Seconds that a message may take, the start of the process included; then the process is ended."""
ARRIVES_WITHIN = 30.0
"""Seconds in which all of a message must have arrived."""
MAX_PROCESS = 128 * 1024
"""KiB of memory that a process may hold after a message; a larger one is replaced, so that the memory is given back.

A process holds 50 MiB at its start and 100 MiB after an e-Form D of 2,000 items."""
MAX_DATA = 384 * 1024 * 1024
"""Bytes of data that a process can have at all."""
MAX_HELD, MAX_HELD_FOR_ONE = 32 * 1024 * 1024, 12 * 1024 * 1024
"""Bytes of messages that arrive or wait, of all addresses and of one."""
MAX_MESSAGES, MAX_MESSAGES_OF_ONE = 160, 64
"""Messages that arrive or wait, of all addresses and of one; a replica has 200 connections."""

_SENDER = re.compile(rb"<(?:[\w.-]+:)?Sender\s*>\s*<(?:[\w.-]+:)?CountryCode\s*>\s*([A-Z]{2})\s*<")
HEAD = 4096
"""Bytes in which a message says who claims to have sent it."""

TRY_LATER = 503
"""The HTTP status for a message that may come again later."""


class NotTaken(Exception):
    """A message that cannot be answered with a signed receipt: nobody knows whose it is, or what it is."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(f"{code}: {detail}")


@dataclass(frozen=True)
class Refused:
    """Why a message is not taken, as it is said by another process: an HTTP status, a slug and a sentence."""

    status: int
    code: str
    detail: str


AGAIN = Refused(TRY_LATER, "not_now", "The message could not be verified: send it again in a few seconds.")


@dataclass(frozen=True)
class Contents:
    """A message whose signature is verified. `content` is None where these fields of it are missing or malformed."""

    envelope: Envelope
    content: Told | None
    malformed: str = ""


Lane = tuple[str, str]
"""The country that a message claims to come from, and the address it came from."""


def claimed_country(raw: bytes) -> str:
    """Who says to have sent a message, by its first bytes; empty where they say nothing. Nothing is verified."""
    found = _SENDER.search(raw, 0, HEAD)
    return found[1].decode() if found else ""


def open_message(raw: bytes, certificate: bytes | None) -> tuple[Contents | Refused, int]:
    """The contents of a message that the key of this certificate (DER) has signed, or why it is not taken.

    Runs in a process of its own; the number is the memory in KiB that this process holds afterwards.
    """
    return _opened(raw, certificate), _memory_held()


def _memory_held() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not on Linux: the most that was ever held
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize() // 1024


def _opened(raw: bytes, certificate: bytes | None) -> Contents | Refused:
    try:
        must_be_in_bounds(raw)
        if certificate is None:
            return Refused(403, "sender_unknown", "The sender is no partner of this gateway.")
        signed = as_signed(xml.parse(raw), x509.load_der_x509_certificate(certificate))
        envelope = xml.read_envelope(signed)
    except (OutOfBounds, xml.NotXml) as error:
        return Refused(400, "xml_not_readable", f"The message cannot be read: {error}.")
    except (NotGenuine, SignatureShapeWrong) as error:
        return Refused(403, "signature_not_valid", f"The message is not trusted: {error}.")
    except ValidationError as error:
        where = ", ".join(str(fault["loc"][0]) for fault in error.errors()[:5])
        return Refused(400, "envelope_not_readable", f"The envelope is malformed: {where}.")
    except MemoryError:
        return Refused(400, "xml_not_readable", "The message cannot be read: it needs too much memory.")
    try:
        return Contents(envelope, xml.read_content(signed, envelope.kind))
    except ValidationError as error:
        where = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors()[:5])
        return Contents(envelope, None, where)


def limit_memory() -> None:
    """Bounds the memory of a process that opens messages."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA, MAX_DATA))


@dataclass
class _Waiting:
    raw: bytes
    certificate: bytes | None
    opened: "asyncio.Future[Contents | Refused]"


class Opener:
    """Opens messages in other processes, and bounds what arrives and waits."""

    def __init__(self, processes: Sequence[ProcessPool] | None = None) -> None:
        """`processes`: one for each message that is opened at once; started when first needed."""
        self._processes = processes or [ProcessPool(limit_memory) for _ in range(AT_ONCE)]
        self._idle = deque(self._processes)
        self._lanes: OrderedDict[Lane, deque[_Waiting]] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._messages: Counter[str] = Counter()
        self._running: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Ends the processes; what still waits is to come again."""
        for job in (job for jobs in self._lanes.values() for job in jobs if not job.opened.done()):
            job.opened.set_result(AGAIN)
        self._lanes.clear()
        for process in self._processes:
            process.shutdown()

    async def receive(self, body: AsyncIterable[bytes], limit: int, address: str) -> bytes:
        """All of a message of at most `limit` bytes; it counts as held until `done_with`. Raises NotTaken."""
        read = bytearray()
        self._messages[address] += 1
        try:
            if self._messages[address] > MAX_MESSAGES_OF_ONE or self._messages.total() > MAX_MESSAGES:
                raise _too_much()
            async with asyncio.timeout(ARRIVES_WITHIN):
                async for chunk in body:
                    read += chunk
                    self._hold(address, len(chunk))
                    if len(read) > limit:
                        raise NotTaken(413, "message_too_long", f"A message may have {limit} bytes.")
        except TimeoutError:
            self.done_with(len(read), address)
            raise NotTaken(408, "message_too_slow", f"A message must arrive within {ARRIVES_WITHIN:.0f} s.") from None
        except BaseException:
            self.done_with(len(read), address)
            raise
        return bytes(read)

    def _hold(self, address: str, size: int) -> None:
        self._held[address] += size
        if self._held[address] > MAX_HELD_FOR_ONE or self._held.total() > MAX_HELD:
            raise _too_much()

    def done_with(self, size: int, address: str) -> None:
        """A message of so many bytes is held no longer."""
        self._held[address] -= size
        self._messages[address] -= 1
        for counted in (self._held, self._messages):
            counted += Counter()  # without those that hold nothing

    async def open(self, raw: bytes, certificate: x509.Certificate | None, lane: Lane) -> Contents:
        """The contents of a message, when its lane has its turn. Raises NotTaken."""
        der = certificate.public_bytes(Encoding.DER) if certificate else None
        waiting = _Waiting(raw, der, asyncio.get_running_loop().create_future())
        self._lanes.setdefault(lane, deque()).append(waiting)
        self._begin_some()
        opened = await waiting.opened
        if isinstance(opened, Refused):
            raise NotTaken(opened.status, opened.code, opened.detail)
        return opened

    def _begin_some(self) -> None:
        while self._idle and self._lanes:
            lane, jobs = self._lanes.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._lanes[lane] = jobs  # behind all others
            if job.opened.cancelled():
                continue
            task = asyncio.create_task(self._run(self._idle.popleft(), job))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, process: ProcessPool, job: _Waiting) -> None:
        opened: Contents | Refused = AGAIN
        try:
            async with asyncio.timeout(OPENED_WITHIN):
                call = asyncio.get_running_loop().run_in_executor(process, open_message, job.raw, job.certificate)
                opened, memory = await call
            if memory > MAX_PROCESS:
                process.end()
        except TimeoutError:
            process.end()
            opened = Refused(400, "message_takes_too_long", "The message takes too long to be verified.")
        except Exception:  # whatever goes wrong with one message, it is answered, and the next has its turn
            log.exception("a message could not be opened")
            process.end()
        finally:
            if not job.opened.done():
                job.opened.set_result(opened)
            self._idle.appendleft(process)  # the one that ran last is warm
            self._begin_some()


def _too_much() -> NotTaken:
    return NotTaken(TRY_LATER, "too_much_at_once", "Too much arrives at once: send it again in a few seconds.")
