"""`co check-key`: the keys with which authorities abroad check many certificates at once on the public site."""

from uuid import UUID

from cyclopts import App
from pydantic import ValidationError

from cli.output import page, plain, table
from cli.target import CommandFailed, Where
from shared.contracts.tracking import (
    CheckKeyIssued,
    CheckKeys,
    CheckKeyWithdrawn,
    IssueCheckKey,
    ListCheckKeys,
    WithdrawCheckKey,
)

TRACKING = "tracking"

app = App(name="check-key", help="The keys of authorities abroad for the check of many certificates at once.")


@app.command
async def issue(authority: str, *, of: str, where: Where | None = None) -> None:
    """Issue a key and print it once. Only its digest is stored.

    Parameters
    ----------
    authority
        The name of the authority.
    of
        Its country, by its code (ISO 3166), such as VN.
    """
    try:
        command = IssueCheckKey(authority=authority, country=of)
    except ValidationError:
        raise CommandFailed("Give the name of the authority, and its country by its code, such as VN.") from None
    async with (where or Where()).target().bus_client() as bus:
        issued: CheckKeyIssued = await bus.ask(command, service=TRACKING)
    plain().print(f"key of {authority}, id {issued.key_id}; it is shown once:\n{issued.key}")


@app.command
async def withdraw(key_id: UUID, *, where: Where | None = None) -> None:
    """Withdraw a key. It opens nothing any more.

    Parameters
    ----------
    key_id
        The id of the key.
    """
    async with (where or Where()).target().bus_client() as bus:
        withdrawn: CheckKeyWithdrawn = await bus.ask(WithdrawCheckKey(key_id=key_id), service=TRACKING)
    plain().print(f"The key of {withdrawn.key.authority} is withdrawn.")


@app.command(name="list")
async def list_keys(*, where: Where | None = None) -> None:
    """List all keys, the latest first."""
    async with (where or Where()).target().bus_client() as bus:
        found: CheckKeys = await bus.ask(ListCheckKeys(), service=TRACKING)
    shown = table("id", "authority", "country", "issued (UTC)", "withdrawn (UTC)")
    for key in found.keys:
        withdrawn = f"{key.withdrawn_at:%Y-%m-%d %H:%M}" if key.withdrawn_at else ""
        shown.add_row(str(key.key_id), key.authority, key.country, f"{key.issued_at:%Y-%m-%d %H:%M}", withdrawn)
    page().print(shown if shown.row_count else "No keys.")
