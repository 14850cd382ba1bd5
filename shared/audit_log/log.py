"""The audit log: the actor, time, address, subject and outcome of each command. It records ids, never contents."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from sqlalchemy import insert

from shared.contracts.index import OPERATOR
from shared.contracts.messages import TRY_AGAIN, Command, Contract, OperatorRequest, subject_of
from shared.database.tables import audit_log
from shared.handling.actor import NOBODY
from shared.handling.work import ServiceContext, Work
from shared.observability.logs import error_text

log = logging.getLogger(__name__)

DONE = "done"
MAX_WAIT = 2.0
"""Maximum seconds that a refusal waits until its entry is written."""

_INSERT = insert(audit_log)


class AuditEntry:
    """The entry of one command, which is written when its outcome is known."""

    def __init__(self, command: Command, from_where: str | None) -> None:
        self._command = command
        self._from_where = address_in(from_where)
        self.actor = NOBODY

    async def record_done(self, answer: Contract, work: Work) -> None:
        """Records a command in the transaction of the command. The answer names the subject if the command does not."""
        if self._command.audited:
            subject = subject_of(self._command) or subject_of(answer)
            await work.session.execute(_INSERT, self._row(subject, work.now, DONE))

    async def record_refused(self, code: str, context: ServiceContext) -> None:
        """Records a refused command in a separate transaction. A temporary failure is not recorded: it has no outcome yet.

        Best effort: the caller gets the refusal even if this write fails.
        """
        if not self._command.audited or code == TRY_AGAIN:
            return
        row = self._row(subject_of(self._command), context.clock.now(), code)
        try:
            async with asyncio.timeout(MAX_WAIT), context.database.writing() as transaction:
                await transaction.session.execute(_INSERT, row)
        except Exception as error:
            extra = {"act": row["act"], "outcome": code, "error": error_text(error)}
            log.warning("a refused command could not be recorded in the audit log", extra=extra)

    def _row(self, subject: tuple[str, object] | None, at: datetime, outcome: str) -> dict[str, Any]:
        noun, noun_id = subject or (None, None)
        return {
            "at": at,
            "actor": OPERATOR if isinstance(self._command, OperatorRequest) else self.actor.name,
            "session": self.actor.session_id,
            "organisation": self.actor.company[:80] or None,
            "roles": " ".join(sorted(self.actor.roles))[:400] or None,
            "act": type(self._command).__name__,
            "on_noun": noun,
            "on_id": None if noun_id is None else str(noun_id),
            "command_id": self._command.command_id,
            "from_where": self._from_where,
            "outcome": outcome,
        }


@asynccontextmanager
async def audited(
    command: Command, from_where: str | None, context: ServiceContext, code_of: Callable[[Exception], str]
) -> AsyncIterator[AuditEntry]:
    """Surrounds the transaction of a command. If it fails, the audit log records the refusal."""
    entry = AuditEntry(command, from_where)
    try:
        yield entry
    except Exception as error:
        await entry.record_refused(code_of(error), context)
        raise


def address_in(header: str | None) -> str | None:
    """The IP address in a header, in its canonical form; None if the header has none."""
    try:
        return str(ip_address(header)) if header and len(header) <= 45 and "%" not in header else None
    except ValueError:
        return None
