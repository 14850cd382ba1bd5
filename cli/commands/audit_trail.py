"""`co audit-trail`: who did what, and whether anybody has doctored the record."""

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
from cli.seal_check import Chain, Checkpoint, Proof
from cli.target import CommandFailed, Where
from deploy.secrets import EVENT_KEYS
from shared.bus.client import BusClient
from shared.contracts.audit_log import MAX_ACTS, Act, Acts, FindActs

app = App(name="audit-trail", help="Who did what, and whether anybody has doctored the record.")

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
    """Compute every seal and every act under it again. Ends with 1 where one was changed, removed or inserted.

    Parameters
    ----------
    service
        One service, instead of all.
    keys
        The public keys of the services, as `co audit-trail keys` prints them, where their seeds are not at hand.
    save
        Where the last checkpoint of each service is kept: the next time it proves that nothing was cut off or rewritten.
    accept
        Services whose saved checkpoint is given up, because they came back from an older copy.
    """
    chosen = where or Where()
    target = chosen.target()
    services = target.only(service)
    known = _keys_in(keys) if keys else _keys_beside(chosen.seeds(), services)
    if missing := [name for name in services if not known.get(name)]:
        raise CommandFailed(f"The public key of {', '.join(missing)} is not known: say --keys FILE.")
    before = {place: last for place, last in _saved(save).items() if place.partition("/")[2] not in accept}
    async with target.asker() as asker:
        proofs = [await Chain(asker, name, known[name]).follow(before) for name in services]
    if save:
        _save(save, before | {proof.place: proof.last for proof in proofs if proof.last and not proof.doubts})
    _print(proofs)
    return 1 if any(proof.doubts for proof in proofs) else 0


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
    """Show who did what, when, from where, on what, and how it ended; the newest last.

    Parameters
    ----------
    service
        One service, instead of all.
    actor
        The id of a person, `api-key:ID`, `operator`, or `anonymous`.
    on
        The id of what the acts were on, such as a certificate.
    since
        From this instant on, in UTC.
    until
        Up to this instant, in UTC.
    last
        How many at most; the newest.
    """
    target = (where or Where()).target()
    asked = FindActs(actor=actor, on=on, since=_in_utc(since), until=_in_utc(until))
    services = target.only(service)
    async with target.asker() as asker:
        found = await asyncio.gather(*(newest(asker, name, asked, last) for name in services))
    acts = sorted(((act, name) for name, some in zip(services, found, strict=True) for act in some), key=_order)[-last:]
    shown = table("at (UTC)", "who", "as", "did", "on", "outcome", "from", "service")
    for act, name in acts:
        on_what = f"{act.on_noun} {act.on_id}" if act.on_noun else ""
        outcome = act.outcome if act.outcome == "done" else f"[red]{escape(act.outcome)}[/]"
        who = (f"{act.at:%Y-%m-%d %H:%M:%S}", escape(act.actor), escape(act.roles or ""))
        shown.add_row(*who, act.act, escape(on_what), outcome, act.from_where or "", name)
    page().print(shown if acts else "Nobody did anything of the kind.")


@app.command(name="keys")
def show_keys(*, where: Where | None = None) -> None:
    """Print the public keys that the services sign their seals with, for `verify --keys` on another machine."""
    chosen = where or Where()
    known = _keys_beside(chosen.seeds(), chosen.target().services)
    plain().print(json.dumps({name: sorted(keys) for name, keys in known.items()}, indent=2))


async def newest(asker: BusClient, service: str, asked: FindActs, most: int) -> list[Act]:
    """The newest acts of one service, newest first."""
    found: list[Act] = []
    while len(found) < most:
        limit = min(MAX_ACTS, most - len(found))
        question = asked.model_copy(update={"before": found[-1].id if found else None, "limit": limit})
        acts: Acts = await asker.ask(question, service=service)
        found.extend(acts.acts)
        if len(acts.acts) < limit:
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
        raise CommandFailed(f'{file} does not hold keys such as {{"fees": ["UA..."]}}.') from None


def _keys_beside(seeds: Path, services: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    """The keys whose seeds lie in the folder of the operator's own seed, and the former ones that its file of keys names."""
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


def _print(proofs: list[Proof]) -> None:
    shown = table("service", "last seal (UTC)", "its hash", right=("seals", "acts", "not sealed yet", "doubts"))
    for proof in proofs:
        when = f"{proof.last.number} of {proof.last.at:%Y-%m-%d %H:%M:%S}" if proof.last else "none yet"
        doubts = f"[red]{len(proof.doubts)}[/]" if proof.doubts else "[green]none[/]"
        hashed = proof.last.hash[:16] if proof.last else ""
        shown.add_row(proof.service, when, hashed, str(proof.seals), str(proof.acts), str(proof.unsealed), doubts)
    page().print(shown)
    for proof in proofs:
        for doubt in proof.doubts:
            plain().print(f"{proof.service}: {doubt}")
