"""`co audit-trail`: shows and verifies the audit log."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import nkeys
from cyclopts import App
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape

from cli.output import page, plain, table
from cli.seal_check import Chain, Checkpoint, Verification
from cli.target import CommandFailed, Where
from deploy.secrets import EVENT_KEYS
from shared.bus.client import BusClient
from shared.contracts.audit_log import MAX_ACTS, Act, Acts, FindActs

app = App(name="audit-trail", help="Show and verify the audit log.")

KEYS = TypeAdapter(dict[str, frozenset[str]])
CHECKPOINTS = TypeAdapter(dict[str, Checkpoint])


@app.command
async def verify(
    *,
    where: Where | None = None,
    service: str | None = None,
    keys: Path | None = None,
    save: Path | None = None,
    accept: tuple[str, ...] = (),
) -> int:
    """Verify every seal and every act of the audit log. Exits with 1 if one was changed, removed or inserted.

    Parameters
    ----------
    service
        One service, instead of all.
    keys
        The public keys of the services, as `co audit-trail keys` prints them. Needed on a machine without their seeds.
    save
        The file for the last checkpoint of each service. The next run compares it, to find a truncated or rewritten log.
    accept
        Services whose saved checkpoint is replaced, because they were restored from an older backup.
    """
    chosen = where or Where()
    target = chosen.target()
    services = target.only(service)
    known = _keys_in(keys) if keys else _keys_beside(chosen.seeds(), services)
    if missing := [name for name in services if not known.get(name)]:
        raise CommandFailed(f"The public key of {', '.join(missing)} is not known: give --keys FILE.")
    before = {place: last for place, last in _saved(save).items() if place.partition("/")[2] not in accept}
    async with target.bus_client() as bus:
        results = [await Chain(bus, name, known[name]).verify(before) for name in services]
    if save:
        _save(save, before | {result.place: result.last for result in results if result.last and not result.differences})
    _print(results)
    return 1 if any(result.differences for result in results) else 0


@app.command
async def show(
    *,
    where: Where | None = None,
    service: str | None = None,
    actor: str | None = None,
    on: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    last: int = 100,
) -> None:
    """Show the acts of the audit log: who, when, from where, on what, and the outcome. The newest act is last.

    Parameters
    ----------
    service
        One service, instead of all.
    actor
        The id of a person, `api-key:ID`, `operator`, or `anonymous`.
    on
        The id of the object of the acts, such as a certificate.
    since
        Only acts at or after this instant, in UTC.
    until
        Only acts before this instant, in UTC.
    last
        The maximum number of acts; the newest are shown.
    """
    target = (where or Where()).target()
    question = FindActs(actor=actor, on=on, since=_in_utc(since), until=_in_utc(until))
    services = target.only(service)
    async with target.bus_client() as bus:
        found = await asyncio.gather(*(newest(bus, name, question, last) for name in services))
    acts = sorted(((act, name) for name, some in zip(services, found, strict=True) for act in some), key=_order)[-last:]
    shown = table("at (UTC)", "who", "as", "did", "on", "outcome", "from", "service")
    for act, name in acts:
        on_what = f"{act.on_noun} {act.on_id}" if act.on_noun else ""
        outcome = act.outcome if act.outcome == "done" else f"[red]{escape(act.outcome)}[/]"
        actor_cells = (f"{act.at:%Y-%m-%d %H:%M:%S}", escape(act.actor), escape(act.roles or ""))
        shown.add_row(*actor_cells, act.act, escape(on_what), outcome, act.from_where or "", name)
    page().print(shown if acts else "There are no such acts.")


@app.command(name="keys")
def show_keys(*, where: Where | None = None) -> None:
    """Print the public keys of the seals of all services, for `verify --keys` on another machine."""
    chosen = where or Where()
    known = _keys_beside(chosen.seeds(), chosen.target().services)
    plain().print(json.dumps({name: sorted(keys) for name, keys in known.items()}, indent=2))


async def newest(bus: BusClient, service: str, question: FindActs, limit: int) -> list[Act]:
    """The newest acts of one service, newest first; at most `limit`."""
    found: list[Act] = []
    while len(found) < limit:
        size = min(MAX_ACTS, limit - len(found))
        page_of = question.model_copy(update={"before": found[-1].id if found else None, "limit": size})
        acts: Acts = await bus.ask(page_of, service=service)
        found.extend(acts.acts)
        if len(acts.acts) < size:
            break
    return found


def _order(found: tuple[Act, str]) -> tuple[datetime, str, int]:
    act, service = found
    return act.at, service, act.id


def _in_utc(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant and instant.tzinfo is None else instant


def _keys_in(file: Path) -> Mapping[str, frozenset[str]]:
    try:
        return KEYS.validate_json(file.read_bytes())
    except ValidationError:
        raise CommandFailed(f'{file} does not contain keys such as {{"fees": ["UA..."]}}.') from None


def _keys_beside(seeds: Path, services: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    """The public keys of the seeds in this folder, and the former keys in its file of event keys."""
    files = {service: seeds / f"{service}.seed" for service in services}
    pairs = {service: nkeys.from_seed(file.read_bytes().strip()) for service, file in files.items() if file.exists()}
    events = seeds / EVENT_KEYS
    former = json.loads(events.read_text()) if events.exists() else {}
    return {service: frozenset({pair.public_key.decode(), *former.get(service, ())}) for service, pair in pairs.items()}


def _saved(file: Path | None) -> dict[str, Checkpoint]:
    return CHECKPOINTS.validate_json(file.read_bytes()) if file and file.exists() else {}


def _save(file: Path, checkpoints: dict[str, Checkpoint]) -> None:
    unfinished = file.with_name(f".{file.name}")
    unfinished.write_bytes(CHECKPOINTS.dump_json(checkpoints, indent=2) + b"\n")
    unfinished.replace(file)


def _print(results: list[Verification]) -> None:
    shown = table("service", "last seal (UTC)", "its hash", right=("seals", "acts", "not sealed yet", "differences"))
    for result in results:
        when = f"{result.last.number} of {result.last.at:%Y-%m-%d %H:%M:%S}" if result.last else "none yet"
        count = f"[red]{len(result.differences)}[/]" if result.differences else "[green]none[/]"
        hashed = result.last.hash[:16] if result.last else ""
        shown.add_row(result.service, when, hashed, str(result.seals), str(result.acts), str(result.unsealed), count)
    page().print(shown)
    for result in results:
        for difference in result.differences:
            plain().print(f"{result.service}: {difference}")
