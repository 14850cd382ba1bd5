"""`co import`: imports companies, people, products and certificates from a former system. The services import the rows."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from getpass import getpass
from itertools import groupby
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import App, Parameter

from cli.demo.accounts import SIGNED_OUT, STEP_UP_REFUSED, Account, AccountClient, Authenticator
from cli.import_files import Part, Row, read_rows
from cli.import_report import print_report, write_report
from cli.output import plain
from cli.target import CommandFailed, Where
from shared.bus.client import AskRefused, BusClient
from shared.contracts.certificates.importing import (
    CheckCertificatesImport,
    CheckProductsImport,
    ImportCertificates,
    ImportedCertificate,
    ImportedProduct,
    ImportProducts,
)
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

MAX_CHARACTERS = 200 * 1024
"""The limit for the rows of one command. At four bytes a character the command still fits into a message of the bus."""
PATIENCE = 60.0

app = App(
    name="import",
    help="Import companies, people, products and certificates from a former system; docs/import.md describes the files.",
)

Asked = TypeVar("Asked", Command, Question)


class PromptedAuthenticator(Authenticator):
    """An authenticator whose codes the administrator types at the terminal. Each code is used once."""

    @property
    def set_up(self) -> bool:
        """Always true: an administrator has a second factor."""
        return True

    def set_secret(self, otpauth: str) -> None:
        """Raises CommandFailed: only its owner can set it up."""
        raise CommandFailed("This account has no second factor yet: set it up first, or give --authenticator-file.")

    def seconds_until_code(self) -> float:
        """Zero: the administrator decides when to type a code."""
        return 0.0

    async def code(self) -> str:
        """Prompts for a code."""
        return (await asyncio.to_thread(input, "The code of your authenticator (each is valid once): ")).strip()


@Parameter(name="*")
@dataclass(frozen=True)
class Importer:
    """The account of the administrator who imports. The audit log names this administrator."""

    email: str
    """The e-mail address of the administrator's account."""
    password_file: Path | None = None
    """A file with the password, instead of typing it."""
    authenticator_file: Path | None = None
    """A file with the secret of the second factor, instead of typing codes. Protect it like a password."""

    def account(self) -> Account:
        """The account to sign in with. Prompts for a missing password. Raises CommandFailed."""
        try:
            password = self.password_file.read_text().strip("\r\n") if self.password_file else getpass("Password: ")
        except OSError as error:
            raise CommandFailed(f"The password in {self.password_file} cannot be read: {error.strerror}.") from None
        file = self.authenticator_file
        return Account(self.email, password, Authenticator(file) if file else PromptedAuthenticator())


@dataclass(frozen=True)
class Kind:
    """A kind of import: the class of its rows, the question of a dry run and the command."""

    part: type[Part]
    check: Callable[[list[Part]], Question]
    command: Callable[[list[Part], bool], Command]

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
        """Import the rows of a file. Exits with 1 if rows were refused.

        Parameters
        ----------
        file
            CSV with a heading, JSON, or JSON lines.
        dry_run
            Report the outcome of every row without a change.
        invite
            Send every imported person a link to choose a password.
        report
            The file for the outcome of every row: CSV, or JSON if its name ends with .json.
        """
        return await self._import(file, by, where, report, dry_run=dry_run, invite=invite)

    async def import_goods(
        self,
        file: Path,
        *,
        by: Importer,
        where: Where | None = None,
        dry_run: Annotated[bool, Parameter(negative=())] = False,
        report: Path | None = None,
    ) -> int:
        """Import the rows of a file. Exits with 1 if rows were refused.

        Parameters
        ----------
        file
            CSV with a heading, JSON, or JSON lines.
        dry_run
            Report the outcome of every row without a change.
        report
            The file for the outcome of every row: CSV, or JSON if its name ends with .json.
        """
        return await self._import(file, by, where, report, dry_run=dry_run)

    async def _import(
        self, file: Path, by: Importer, where: Where | None, report: Path | None, *, dry_run: bool, invite: bool = False
    ) -> int:
        rows = await asyncio.to_thread(read_rows, file, self.part)
        target = (where or Where()).target("portal")
        try:
            async with target.bus_client(PATIENCE) as bus:
                client = await AccountClient.begin(bus, by.account())
                await import_rows(self, rows, client, bus, dry_run=dry_run, invite=invite)
        finally:  # also after an error: the report shows the imported rows
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

PRODUCTS = Kind(
    ImportedProduct,
    lambda parts: CheckProductsImport(products=parts),
    lambda parts, invite: ImportProducts(products=parts),
)
CERTIFICATES = Kind(
    ImportedCertificate,
    lambda parts: CheckCertificatesImport(certificates=parts),
    lambda parts, invite: ImportCertificates(certificates=parts),
)

FOR_ALL = """Exits with 1 if rows were refused.

Idempotent: a second run imports only the missing rows. Another bus needs the seed of the portal."""

app.command(
    REGISTRATIONS.import_file,
    name="registrations",
    help=f"Import companies with their registrations and users. {FOR_ALL}",
)
app.command(
    USERS.import_file,
    name="users",
    help=f"Import users of offices, and of companies that are registered here already. {FOR_ALL}",
)
app.command(
    PRODUCTS.import_goods,
    name="products",
    help=f"Import approved products of companies that are registered here already. {FOR_ALL}",
)
app.command(
    CERTIFICATES.import_goods,
    name="certificates",
    help=f"Import certificates of the former system, to copy from. Import their products first. {FOR_ALL}",
)


async def import_rows(
    kind: Kind, rows: list[Row], client: AccountClient, bus: BusClient, *, dry_run: bool = False, invite: bool = False
) -> None:
    """Imports the rows, or only checks them, and sets their reports. Raises CommandFailed, AskRefused."""
    if Role.ADMINISTRATOR not in client.session.roles:
        raise CommandFailed(f"{client.account.email} is not an administrator of the ministry.")
    batches = list(batches_of(rows))
    if dry_run:
        await check(kind, batches, client)
    else:
        await execute(kind, batches, invite, client, bus)


def batches_of(rows: list[Row]) -> Iterator[list[Row]]:
    """The batches of rows, one command each. All users of a company are in one batch, because they are imported all or none."""
    batch: list[Row] = []
    characters = 0
    for group in _groups(rows):
        size = sum(len(row.part.model_dump_json()) for row in group if row.part)
        if len(group) > MAX_ROWS or size > MAX_CHARACTERS:
            for row in group:
                row.refuse(
                    "too_many_together", f"The users of one company are imported together, at most {MAX_ROWS} at a time."
                )
            continue
        if len(batch) + len(group) > MAX_ROWS or characters + size > MAX_CHARACTERS:
            yield batch
            batch, characters = [], 0
        batch, characters = [*batch, *group], characters + size
    if batch:
        yield batch


def _groups(rows: list[Row]) -> Iterator[list[Row]]:
    """Groups of rows that are imported all or none. If one of them is refused, so are the others."""
    for company, some in groupby(sorted(rows, key=lambda row: row.company or ""), key=lambda row: row.company):
        group = list(some)
        if company is None:
            yield from ([row] for row in group if row.report is None)
        elif any(row.report for row in group):
            for row in group:
                if row.report is None:
                    detail = "Another row of this company was refused, and the users of a company are imported together."
                    row.refuse("colleague_refused", detail)
        else:
            yield group


async def check(kind: Kind, batches: list[list[Row]], client: AccountClient) -> None:
    """Sets the reports of a dry run."""
    for batch in batches:
        _set_reports(batch, await client.ask(kind.check([row.part for row in batch if row.part])))


async def execute(kind: Kind, batches: list[list[Row]], invite: bool, client: AccountClient, bus: BusClient) -> None:
    """Imports every batch. One code of the second factor confirms up to fifty batches, for a minute."""
    pending = [(kind.command([row.part for row in batch if row.part], invite), batch) for batch in batches]
    total, done = len(pending), 0
    while pending:
        confirmable = pending[:MAX_DECISIONS]
        confirmed = await asyncio.gather(*(client.step_up(command) for command, _ in confirmable))
        before = len(pending)
        for (command, batch), step_up in zip(confirmable, confirmed, strict=True):
            try:
                _set_reports(batch, await bus.ask(command, token=await client.token(), step_up=step_up))
            except AskRefused as refused:
                if refused.refusal.code not in STEP_UP_REFUSED | SIGNED_OUT or len(pending) == before:
                    raise
                break  # the confirmation has expired: confirm the rest again
            pending.pop(0)
            done += 1
        plain().print(f"{done} of {total} batches")


def _set_reports(batch: list[Row], imported: Imported) -> None:
    for row, report in zip(batch, imported.rows, strict=True):
        row.report = report
