"""Queries for originals, and the ledger of their quantities. A line never has more taken than it has."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update

from services.certificates.domain.original import Line, Original, Use
from services.certificates.store.tables import original_lines, original_uses, originals
from shared.handling.work import Work

_ORIGINAL = select(originals).where(originals.c.original_id == bindparam("wanted"))
_BY_IDS = select(originals).where(originals.c.original_id.in_(bindparam("wanted", expanding=True)))
_LINES = (
    select(original_lines)
    .where(original_lines.c.original_id.in_(bindparam("wanted", expanding=True)))
    .order_by(original_lines.c.original_id, original_lines.c.number)
)
_THIS_LINE = (original_lines.c.original_id == bindparam("of")) & (original_lines.c.number == bindparam("line"))
_TAKE = (
    update(original_lines)
    .where(_THIS_LINE, ~original_lines.c.denied, original_lines.c.taken + bindparam("more") <= original_lines.c.quantity)
    .values(taken=original_lines.c.taken + bindparam("more"))
    .returning(original_lines.c.taken)
)
_RELEASE = update(original_lines).where(_THIS_LINE).values(taken=original_lines.c.taken - bindparam("less"))
_RESTORE = update(original_lines).where(_THIS_LINE).values(taken=original_lines.c.taken + bindparam("more"))
_TAKEN = select(original_lines.c.quantity, original_lines.c.taken).where(_THIS_LINE)
_USES = select(original_uses).where(original_uses.c.certificate_id == bindparam("certificate_id"))
_USED = (
    select(original_uses.c.line, func.sum(original_uses.c.quantity - original_uses.c.borrowed).label("sum"))
    .where(original_uses.c.original_id == bindparam("of"))
    .group_by(original_uses.c.line)
)
_USERS = select(original_uses).where(original_uses.c.original_id == bindparam("of"))


async def find_original(work: Work, original_id: UUID) -> Original | None:
    """An original with its lines, or None. In a command it is locked."""
    wanted = _ORIGINAL.with_for_update() if work.may_write else _ORIGINAL
    row = (await work.session.execute(wanted, {"wanted": original_id})).first()
    return None if row is None else (await _with_lines(work, [row]))[original_id]


async def originals_by_ids(work: Work, ids: Iterable[UUID]) -> dict[UUID, Original]:
    """The originals with these ids that exist, with their lines."""
    rows = (await work.session.execute(_BY_IDS, {"wanted": sorted(ids)})).all()
    return await _with_lines(work, rows)


async def _with_lines(work: Work, rows: Sequence[Any]) -> dict[UUID, Original]:
    lines: dict[UUID, dict[int, Line]] = {row.original_id: {} for row in rows}
    for row in await work.session.execute(_LINES, {"wanted": list(lines)}):
        values = {name: value for name, value in row._mapping.items() if name != "original_id"}
        lines[row.original_id][row.number] = Line(**values)
    return {row.original_id: Original(**row._mapping, lines=lines[row.original_id]) for row in rows}


async def keep_original(work: Work, original: Original) -> None:
    """Keeps an original unless a later version is known. What was taken of its lines stays taken."""
    known = await find_original(work, original.original_id)
    if known is not None and known.version >= original.version:
        return
    row = {name: value for name, value in vars(original).items() if name != "lines"}
    await work.insert_newer(originals, row)
    kept = set(known.lines) if known else set()
    of = {"of": original.original_id}
    taken = {row.line: int(row.sum) for row in await work.session.execute(_USED, of)} if len(kept) < len(original.lines) else {}
    new = [
        {**vars(line), "original_id": original.original_id, "taken": taken.get(number, 0)}
        for number, line in original.lines.items()
        if number not in kept
    ]
    if new:
        await work.session.execute(insert(original_lines), new)
    changed = [
        {"of": original.original_id, "line": number, **_said(line)}
        for number, line in original.lines.items()
        if number in kept and known is not None and _said(known.lines[number]) != _said(line)
    ]
    changed += [{"of": original.original_id, "line": number, **_GONE} for number in kept - set(original.lines)]
    for each in changed:
        values = {name: value for name, value in each.items() if name not in ("of", "line")}
        await work.session.execute(update(original_lines).where(_THIS_LINE).values(values), each)


_GONE = {"quantity": 0, "denied": True}
"""A line that a later version of the original does not have."""


def _said(line: Line) -> dict[str, Any]:
    return {name: value for name, value in vars(line).items() if name not in ("number", "taken")}


async def take(work: Work, uses: Sequence[Use]) -> Use | None:
    """Takes quantities from lines, always in the same order. Returns the first use for which a line has not enough.

    One statement for each use decides and takes, so concurrent certificates never take more than there is.
    """
    for use in sorted(uses, key=lambda each: (each.original_id, each.line, each.item)):
        values = {"of": use.original_id, "line": use.line, "more": use.own}
        if (await work.session.execute(_TAKE, values)).first() is None:
            return use
    await work.session.execute(insert(original_uses), [vars(use) for use in uses])
    return None


async def remaining_of(work: Work, use: Use) -> int:
    """What remains of the line of a use, in millionths."""
    row = (await work.session.execute(_TAKEN, {"of": use.original_id, "line": use.line})).one()
    return max(0, int(row.quantity) - int(row.taken))


async def release(work: Work, certificate_id: UUID) -> None:
    """Releases all that a certificate has taken."""
    for use in sorted(await uses_by(work, certificate_id), key=lambda each: (each.original_id, each.line, each.item)):
        await work.session.execute(_RELEASE, {"of": use.original_id, "line": use.line, "less": use.own})
    await work.session.execute(delete(original_uses).where(original_uses.c.certificate_id == certificate_id))


async def restore(work: Work, uses: Sequence[Use]) -> None:
    """Takes quantities that were taken before this database was lost, even if a line has less."""
    for use in uses:
        await work.session.execute(_RESTORE, {"of": use.original_id, "line": use.line, "more": use.quantity})
    if uses:
        await work.session.execute(insert(original_uses), [vars(use) for use in uses])


async def make_final(work: Work, certificate_id: UUID) -> None:
    """The certificate is issued: what it has reserved is used up. What it had borrowed is released by now, and is taken."""
    for use in await uses_by(work, certificate_id):
        if use.borrowed:
            await work.session.execute(_RESTORE, {"of": use.original_id, "line": use.line, "more": use.borrowed})
    mine = original_uses.c.certificate_id == certificate_id
    await work.session.execute(update(original_uses).where(mine).values(final=True, borrowed=0))


async def uses_by(work: Work, certificate_id: UUID) -> list[Use]:
    """What a certificate has taken."""
    return [Use(**row._mapping) for row in await work.session.execute(_USES, {"certificate_id": certificate_id})]


async def uses_of(work: Work, original_id: UUID, limit: int) -> list[Use]:
    """The first uses of an original, by line."""
    page = _USERS.order_by(original_uses.c.line, original_uses.c.certificate_id, original_uses.c.item).limit(limit)
    return [Use(**row._mapping) for row in await work.session.execute(page, {"of": original_id})]


async def waiting_for(work: Work, original_id: UUID) -> set[UUID]:
    """The certificates that use an original and are not issued."""
    reserved = _USERS.where(~original_uses.c.final).with_only_columns(original_uses.c.certificate_id)
    return set(await work.session.scalars(reserved, {"of": original_id}))


received_originals = select(originals.c.country + "/" + originals.c.reference).where(~originals.c.on_paper)
