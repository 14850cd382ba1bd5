"""The trail: who did what, when, from where, on what, and how it ended. Ids only, never what was said."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from shared.contracts.index import OPERATOR
from shared.contracts.messages import TRY_AGAIN, Command, Contract
from shared.contracts.operations import OPERATIONS
from shared.handling.actor import NOBODY
from shared.observability.logs import error_text
from shared.database.tables import trail
from shared.handling.work import Work, ServiceContext

log = logging.getLogger(__name__)

DONE = "done"
MAX_WAIT = 2.0
"""Seconds for which the refusal of an act waits until the trail has it."""


class AuditEntry:
    """One command of somebody, on its way into the trail."""

    def __init__(self, command: Command, from_where: str | None) -> None:
        self._command = command
        self._from_where = address_in(from_where)
        self.actor = NOBODY

    async def is_done(self, answer: Contract, work: Work) -> None:
        """Appends the act in its own transaction. What it was on, the answer says where the command does not."""
        if self._command.in_trail:
            row = self._row(what_it_is_on(self._command) or what_it_is_on(answer), work.now, DONE)
            await work.session.execute(insert(trail).values(row))

    async def is_refused(self, code: str, context: ServiceContext) -> None:
        """Appends a refused act in a transaction of its own, as well as can be done: the refusal itself is answered anyhow.

        What is to be tried again has not ended yet.
        """
        if not self._command.in_trail or code == TRY_AGAIN:
            return
        row = self._row(what_it_is_on(self._command), context.clock.now(), code)
        try:
            async with asyncio.timeout(MAX_WAIT), context.database.writing() as transaction:
                await transaction.session.execute(insert(trail).values(row))
        except Exception as error:
            log.warning("the trail lacks a refused act", extra={"act": row["act"], "outcome": code, "error": error_text(error)})

    def _row(self, on: tuple[str, str] | None, at: datetime, outcome: str) -> dict[str, Any]:
        noun, noun_id = on or (None, None)
        return {
            "at": at,
            "actor": OPERATOR if isinstance(self._command, OPERATIONS) else self.actor.name,
            "session": self.actor.session_id,
            "organisation": self.actor.company[:80] or None,
            "roles": " ".join(sorted(self.actor.roles))[:400] or None,
            "act": type(self._command).__name__,
            "on_noun": noun,
            "on_id": noun_id,
            "command_id": self._command.command_id,
            "from_where": self._from_where,
            "outcome": outcome,
        }


@asynccontextmanager
async def acting(
    command: Command, from_where: str | None, context: ServiceContext, code_of: Callable[[Exception], str]
) -> AsyncIterator[AuditEntry]:
    """Around the transaction of an act: one that is undone is in the trail too, as refused."""
    act = AuditEntry(command, from_where)
    try:
        yield act
    except Exception as error:
        await act.is_refused(code_of(error), context)
        raise


def what_it_is_on(message: Contract) -> tuple[str, str] | None:
    """The noun and the id that a message names first. Only a dead letter has a plain number."""
    for name in type(message).model_fields:
        value = getattr(message, name)
        if isinstance(value, UUID) and name.endswith("_id") and name != "command_id":
            return name.removesuffix("_id"), str(value)
        if isinstance(value, int) and name == "id":
            return "dead_letter", str(value)
    return None


def address_in(header: str | None) -> str | None:
    """The IP address that a header holds, in its usual form; whatever else is in it is no address."""
    try:
        return str(ip_address(header)) if header and len(header) <= 45 and "%" not in header else None
    except ValueError:
        return None
