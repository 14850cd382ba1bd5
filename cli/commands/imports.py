"""`co import`: a ministry moves from its former system. Files are examined here, and taken over by registry."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from getpass import getpass
from itertools import groupby
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import App, Parameter

from cli.demo.accounts import SIGNED_OUT, STEPPED_DOWN, Account, Authenticator, Presence
from cli.import_files import Part, Row, read_rows
from cli.import_report import print_report, write_report
from cli.output import plain
from cli.target import CommandFailed, Where
from shared.bus.client import AskRefused, BusClient
from shared.contracts.messages import Command, Question
from shared.contracts.registry.importing import (
    MAX_ROWS,
    CheckRegistrationsImport,
    CheckUsersImport,
    Imported,
    ImportedRegistration,
    ImportedUser,
    ImportRegistrations,
    ImportUsers,
    RowOutcome,
)
from shared.contracts.roles import Role
from shared.security.step_up import MAX_DECISIONS

MOST_CHARACTERS = 200 * 1024
"""Of the rows of one command: even if each took four bytes, the command would be one that the bus carries."""
PATIENCE = 60.0

app = App(name="import", help="Take over companies and people from a former system; docs/import.md describes the files.")

Asked = TypeVar("Asked", Command, Question)


class AuthenticatorOfAPerson(Authenticator):
    """The codes are read from somebody's telephone; no code is asked for before the last one is used up."""

    @property
    def set_up(self) -> bool:
        """Whoever imports has one."""
        return True

    def take(self, otpauth: str) -> None:
        """Only its owner can set it up. Raises CommandFailed."""
        raise CommandFailed("This account has no second factor yet: set it up first, or say --authenticator-file.")

    def soonest(self) -> float:
        """Whenever the person is ready."""
        return 0.0

    async def code(self) -> str:
        """What the person types."""
        return (await asyncio.to_thread(input, "The code that your authenticator shows (each serves once): ")).strip()


@Parameter(name="*")
@dataclass(frozen=True)
class Importer:
    """The administrator who imports: the trail names them."""

    email: str
    """The e-mail address of the administrator's account."""
    password_file: Path | None = None
    """A file that holds the password, instead of typing it."""
    authenticator_file: Path | None = None
    """A file that holds the secret of the second factor, instead of typing codes. Whoever reads it has the factor."""

    def account(self) -> Account:
        """What they sign in with."""
        try:
            password = self.password_file.read_text().strip("\r\n") if self.password_file else getpass("Password: ")
        except OSError as error:
            raise CommandFailed(f"The password in {self.password_file} cannot be read: {error.strerror}.") from None
        file = self.authenticator_file
        return Account(self.email, password, Authenticator(file) if file else AuthenticatorOfAPerson())


@dataclass(frozen=True)
class Kind:
    """What is imported: its rows, and how they are asked for."""

    part: type[Part]
    check: Callable[[list[Part]], Question]
    take: Callable[[list[Part], bool], Command]

    async def import_file(
        self,
        file: Path,
        *,
        by: Importer,
        where: Where | None = None,
        dry_run: Annotated[bool, Parameter(negative=())] = False,
        invite: Annotated[bool, Parameter(negative=())] = False,
        report: Path | None = None,
    ) -> int:
        """Take over the rows of a file. Ends with 1 where rows were refused.

        Parameters
        ----------
        file
            CSV with a heading, JSON, or JSON lines.
        dry_run
            Say what would become of every row, and change nothing.
        invite
            Send everybody who comes over a link to choose a password.
        report
            Where to write what became of every row: CSV, or JSON by its name.
        """
        rows = await asyncio.to_thread(read_rows, file, self.part)
        target = (where or Where()).target("portal")
        try:
            async with target.asker(PATIENCE) as asker:
                presence = await Presence.begin(asker, by.account())
                await import_rows(self, rows, presence, asker, dry_run=dry_run, invite=invite)
        finally:  # also where it breaks off: what came over is to be known
            if report:
                write_report(rows, report)
        print_report(rows, dry_run=dry_run)
        return 1 if any(row.report and row.report.outcome is RowOutcome.REFUSED for row in rows) else 0


REGISTRATIONS = Kind(
    ImportedRegistration,
    lambda parts: CheckRegistrationsImport(registrations=parts),
    lambda parts, invite: ImportRegistrations(registrations=parts, invite=invite),
)
USERS = Kind(
    ImportedUser,
    lambda parts: CheckUsersImport(users=parts),
    lambda parts, invite: ImportUsers(users=parts, invite=invite),
)

OF_BOTH = """Ends with 1 where rows were refused.

Done again, it takes over only what is not here yet. A bus elsewhere is reached with the portal's seed."""

app.command(
    REGISTRATIONS.import_file,
    name="registrations",
    help=f"Take over companies with their registrations and their people. {OF_BOTH}",
)
app.command(
    USERS.import_file,
    name="users",
    help=f"Take over people: of offices, and of companies that are here already. {OF_BOTH}",
)


async def import_rows(
    kind: Kind, rows: list[Row], presence: Presence, asker: BusClient, *, dry_run: bool = False, invite: bool = False
) -> None:
    """Takes rows over, or asks what would become of them; each has its report then. Raises CommandFailed, AskRefused."""
    if Role.ADMINISTRATOR not in presence.session.roles:
        raise CommandFailed(f"{presence.account.email} is no administrator of the ministry.")
    batches = list(batches_of(rows))
    if dry_run:
        await check(kind, batches, presence)
    else:
        await take(kind, batches, invite, presence, asker)


def batches_of(rows: list[Row]) -> Iterator[list[Row]]:
    """The rows that are sent together; the people of one company are never parted, for they come over all or none."""
    batch: list[Row] = []
    characters = 0
    for group in _groups(rows):
        size = sum(len(row.part.model_dump_json()) for row in group if row.part)
        if len(group) > MAX_ROWS or size > MOST_CHARACTERS:
            for row in group:
                row.refuse("too_many_together", f"The people of one company come over together, at most {MAX_ROWS} at a time.")
            continue
        if len(batch) + len(group) > MAX_ROWS or characters + size > MOST_CHARACTERS:
            yield batch
            batch, characters = [], 0
        batch, characters = [*batch, *group], characters + size
    if batch:
        yield batch


def _groups(rows: list[Row]) -> Iterator[list[Row]]:
    """Rows that come over all or none; where one of them is refused already, so are the others."""
    for company, some in groupby(sorted(rows, key=lambda row: row.company or ""), key=lambda row: row.company):
        group = list(some)
        if company is None:
            yield from ([row] for row in group if row.report is None)
        elif any(row.report for row in group):
            for row in group:
                if row.report is None:
                    detail = "Another row of this company was refused, and the people of a company come over together."
                    row.refuse("colleague_refused", detail)
        else:
            yield group


async def check(kind: Kind, batches: list[list[Row]], presence: Presence) -> None:
    """Asks what would become of every row."""
    for batch in batches:
        _note(batch, await presence.ask(kind.check([row.part for row in batch if row.part])))


async def take(kind: Kind, batches: list[list[Row]], invite: bool, presence: Presence, asker: BusClient) -> None:
    """Takes every batch over. One code of the second factor confirms fifty of them, for a minute."""
    waiting = [(kind.take([row.part for row in batch if row.part], invite), batch) for batch in batches]
    of, done = len(waiting), 0
    while waiting:
        together = waiting[:MAX_DECISIONS]
        confirmed = await asyncio.gather(*(presence.step_up(command) for command, _ in together))
        before = len(waiting)
        for (command, batch), step_up in zip(together, confirmed, strict=True):
            try:
                _note(batch, await asker.ask(command, token=await presence.token(), step_up=step_up))
            except AskRefused as refused:
                if refused.refusal.code not in STEPPED_DOWN | SIGNED_OUT or len(waiting) == before:
                    raise
                break  # the minute is over: the rest is confirmed anew
            waiting.pop(0)
            done += 1
        plain().print(f"{done} of {of} batches")


def _note(batch: list[Row], imported: Imported) -> None:
    for row, report in zip(batch, imported.rows, strict=True):
        row.report = report
