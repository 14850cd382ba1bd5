"""Opens messages of partners: it checks limits, verifies the signature and parses the content, in separate processes.

The sender is unverified until then. So at most two messages are opened at the same time, senders and addresses take turns,
the memory of waiting messages is limited, and a process that takes too long or too much memory is replaced.
"""

import asyncio
import logging
import re
import resource
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError

from services.gateway.wire import xml
from services.gateway.wire.messages import Envelope, WireModel
from services.gateway.wire.schemas import SchemaViolated, must_be_valid
from services.gateway.wire.signature import NotGenuine, as_signed_by_one
from shared.runtime.process_pool import ProcessPool
from shared.xml.bounds import OutOfBounds, SignatureShapeWrong, must_be_in_bounds
from shared.xml.documents import NotXml, parse
from shared.xml.layout import VERSIONS

log = logging.getLogger(__name__)

MAX_CONCURRENT = 2
"""Maximum messages that are opened at the same time: one in each process."""
OPENED_WITHIN = 20.0
"""Maximum seconds of one message, with the start of the process. Then the process is killed."""
ARRIVES_WITHIN = 30.0
"""Seconds within which a message must arrive completely."""
MAX_PROCESS = 128 * 1024
"""Maximum KiB of memory of a process after a message. A larger process is replaced, so that its memory is freed.

A process has 50 MiB at its start and 100 MiB after an e-Form D of 2,000 items."""
MAX_DATA = 384 * 1024 * 1024
"""The limit of the memory of a process in bytes (RLIMIT_DATA)."""
MAX_HELD, MAX_HELD_FOR_ONE = 32 * 1024 * 1024, 12 * 1024 * 1024
"""Maximum bytes of arriving and waiting messages, of all addresses and of one."""
MAX_MESSAGES, MAX_MESSAGES_OF_ONE = 160, 64
"""Maximum arriving and waiting messages, of all addresses and of one. A replica has 200 connections."""

_SENDER = re.compile(rb"<(?:[\w.-]+:)?Sender\s*>\s*<(?:[\w.-]+:)?CountryCode\s*>\s*([A-Z]{2})\s*<")
HEAD = 4096
"""The first bytes of a message, which must contain its claimed sender."""

TRY_LATER = 503
"""The HTTP status that requests the partner to send the message again later."""


class MessageRejected(Exception):
    """A message without a verified sender or kind. It gets an HTTP error in place of a signed receipt."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(f"{code}: {detail}")


@dataclass(frozen=True)
class Rejection:
    """The reason of a rejection, as the other process returns it: an HTTP status, a code and a sentence."""

    status: int
    code: str
    detail: str


AGAIN = Rejection(TRY_LATER, "not_now", "The message could not be verified: send it again in a few seconds.")


@dataclass(frozen=True)
class Contents:
    """A message with a verified signature. `content` is None if the fields in `malformed` are missing or malformed.

    `version`: that of the profile, from its namespace. `certificate`: the pinned certificate of the signer (DER).
    """

    envelope: Envelope
    content: WireModel | None
    malformed: str = ""
    version: int = VERSIONS[-1]
    certificate: bytes = field(default=b"", compare=False)


Lane = tuple[str, str]
"""A queue of messages: the claimed country and the IP address of the sender."""


def claimed_country(raw: bytes) -> str:
    """The unverified country of the sender, from the first bytes of a message; empty if they do not contain it."""
    found = _SENDER.search(raw, 0, HEAD)
    return found[1].decode() if found else ""


def open_message(raw: bytes, certificates: Sequence[bytes]) -> tuple[Contents | Rejection, int]:
    """The contents of a message that the key of one of these certificates (DER) has signed, or the reason of its rejection.

    It runs in a separate process. The number is the memory of this process afterwards, in KiB.
    """
    return _opened(raw, certificates), _memory_held()


def _memory_held() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not on Linux: the maximum since the start
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize() // 1024


def _opened(raw: bytes, certificates: Sequence[bytes]) -> Contents | Rejection:
    try:
        must_be_in_bounds(raw)
        if not certificates:
            return Rejection(403, "sender_unknown", "The sender is not a partner of this gateway.")
        signed, signer = as_signed_by_one(parse(raw), [x509.load_der_x509_certificate(each) for each in certificates])
        version = xml.version_of(signed)
        assert version is not None  # a signature covers nothing else
        envelope = xml.read_envelope(signed, version)
    except (OutOfBounds, NotXml) as error:
        return Rejection(400, "xml_not_readable", f"The message cannot be read: {error}.")
    except (NotGenuine, SignatureShapeWrong) as error:
        return Rejection(403, "signature_not_valid", f"The message is not trusted: {error}.")
    except ValidationError as error:
        where = ", ".join(str(fault["loc"][0]) for fault in error.errors()[:5])
        return Rejection(400, "envelope_not_readable", f"The envelope is malformed: {where}.")
    except MemoryError:
        return Rejection(400, "xml_not_readable", "The message cannot be read: it needs too much memory.")
    certificate = signer.public_bytes(Encoding.DER)
    try:
        must_be_valid(signed, envelope.kind, version)
        return Contents(envelope, xml.read_content(signed, envelope.kind, version), version=version, certificate=certificate)
    except SchemaViolated as error:
        return Contents(envelope, None, ", ".join(error.places), version, certificate)
    except ValidationError as error:
        where = ", ".join(".".join(map(str, fault["loc"])) or fault["msg"] for fault in error.errors()[:5])
        return Contents(envelope, None, where, version, certificate)


def limit_memory() -> None:
    """Limits the memory of a process that opens messages."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA, MAX_DATA))


@dataclass
class _Waiting:
    raw: bytes
    certificates: Sequence[bytes]
    opened: "asyncio.Future[Contents | Rejection]"


class Opener:
    """Opens messages in other processes, and limits the arriving and waiting messages."""

    def __init__(self, processes: Sequence[ProcessPool] | None = None) -> None:
        """`processes`: one for each message that is opened at the same time. Each starts when it is first needed."""
        self._processes = processes or [ProcessPool(limit_memory) for _ in range(MAX_CONCURRENT)]
        self._idle = deque(self._processes)
        self._lanes: OrderedDict[Lane, deque[_Waiting]] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._messages: Counter[str] = Counter()
        self._running: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Kills the processes. The partners must send the waiting messages again."""
        for job in (job for jobs in self._lanes.values() for job in jobs if not job.opened.done()):
            job.opened.set_result(AGAIN)
        self._lanes.clear()
        for process in self._processes:
            process.shutdown()

    async def receive(self, body: AsyncIterable[bytes], limit: int, address: str) -> bytes:
        """Reads a message of at most `limit` bytes. It counts as held until `release`. Raises MessageRejected."""
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
                        raise MessageRejected(413, "message_too_long", f"A message may have {limit} bytes.")
        except TimeoutError:
            self.release(len(read), address)
            raise MessageRejected(408, "message_too_slow", f"A message must arrive within {ARRIVES_WITHIN:.0f} s.") from None
        except BaseException:
            self.release(len(read), address)
            raise
        return bytes(read)

    def _hold(self, address: str, size: int) -> None:
        self._held[address] += size
        if self._held[address] > MAX_HELD_FOR_ONE or self._held.total() > MAX_HELD:
            raise _too_much()

    def release(self, size: int, address: str) -> None:
        """Subtracts a message of `size` bytes from those held."""
        self._held[address] -= size
        self._messages[address] -= 1
        for counted in (self._held, self._messages):
            counted += Counter()  # removes the addresses with a count of zero

    async def open(self, raw: bytes, certificates: Sequence[x509.Certificate], lane: Lane) -> Contents:
        """Opens a message when it is the turn of its lane. Raises MessageRejected."""
        ders = [each.public_bytes(Encoding.DER) for each in certificates]
        waiting = _Waiting(raw, ders, asyncio.get_running_loop().create_future())
        self._lanes.setdefault(lane, deque()).append(waiting)
        self._start_waiting()
        opened = await waiting.opened
        if isinstance(opened, Rejection):
            raise MessageRejected(opened.status, opened.code, opened.detail)
        return opened

    def _start_waiting(self) -> None:
        while self._idle and self._lanes:
            lane, jobs = self._lanes.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._lanes[lane] = jobs  # after all other lanes
            if job.opened.cancelled():
                continue
            task = asyncio.create_task(self._run(self._idle.popleft(), job))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, process: ProcessPool, job: _Waiting) -> None:
        opened: Contents | Rejection = AGAIN
        try:
            async with asyncio.timeout(OPENED_WITHIN):
                call = asyncio.get_running_loop().run_in_executor(process, open_message, job.raw, job.certificates)
                opened, memory = await call
            if memory > MAX_PROCESS:
                process.end()
        except TimeoutError:
            process.end()
            opened = Rejection(400, "message_takes_too_long", "The verification of the message takes too long.")
        except Exception:  # every message is answered, and the next one is opened
            log.exception("a message could not be opened")
            process.end()
        finally:
            if not job.opened.done():
                job.opened.set_result(opened)
            self._idle.appendleft(process)  # the last used process has started already
            self._start_waiting()


def _too_much() -> MessageRejected:
    return MessageRejected(
        TRY_LATER, "too_much_at_once", "Too many messages arrive at the same time: send it again in a few seconds."
    )
