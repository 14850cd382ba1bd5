"""Queries for origin rules. Each replica keeps the rules in memory; loaded ones do not change."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import bindparam, delete, func, insert, or_, select

from services.certificates.origin_rules import KnownRules, digest_of, read_rules_file, shipped_rules
from services.certificates.store.origin_tables import origin_rule_parts, origin_rule_sets
from shared.handling.work import Work

ABANDONED = timedelta(days=1)
"""Parts older than this belong to a load that was broken off."""

_S, _P = origin_rule_sets.c, origin_rule_parts.c
_LOADED = select(_S.rule_set_id, _S.loaded_at).order_by(_S.loaded_at, _S.rule_set_id)
_CONTENTS = select(_S.rule_set_id, _S.content).where(_S.rule_set_id.in_(bindparam("wanted", expanding=True)))
_SET = select(_S.rule_set_id).where(_S.rule_set_id == bindparam("wanted"))
_COUNT = select(func.count()).where(_P.rule_set_id == bindparam("wanted"))
_PARTS = select(_P.content).where(_P.rule_set_id == bindparam("wanted")).order_by(_P.number)


class KeptOriginRules:
    """The loaded rules in the memory of this replica, by id."""

    def __init__(self) -> None:
        self.rules: dict[UUID, KnownRules] = {}


def rule_set_id_of(sha256: str) -> UUID:
    """The id of the rules of a file. The same content has the same id."""
    return uuid5(NAMESPACE_URL, f"origin-rules:{sha256}")


async def known_rules(work: Work) -> Sequence[KnownRules]:
    """The rules of the release, then the loaded ones in the order of their loading."""
    loaded = list(await work.session.execute(_LOADED))
    kept = work.use(KeptOriginRules).rules
    if new := [row.rule_set_id for row in loaded if row.rule_set_id not in kept]:
        for row in await work.session.execute(_CONTENTS, {"wanted": new}):
            file, rules = await asyncio.to_thread(read_rules_file, row.content.encode())
            kept[row.rule_set_id] = KnownRules(rules, digest_of(file), shipped=False)
    found = [kept[row.rule_set_id] for row in loaded]
    times = [row.loaded_at for row in loaded]
    dated = (KnownRules(each.rules, each.digest, False, at) for each, at in zip(found, times, strict=True))
    return (*shipped_rules(), *dated)


async def is_loaded(work: Work, rule_set_id: UUID) -> bool:
    """Whether these rules are complete."""
    return (await work.session.execute(_SET, {"wanted": rule_set_id})).first() is not None


async def keep_part(work: Work, rule_set_id: UUID, number: int, content: str) -> int:
    """Keeps a part of a file, and returns how many there are."""
    row = {"rule_set_id": rule_set_id, "number": number, "content": content, "received_at": work.now}
    await work.insert_new(origin_rule_parts, [row])
    return int((await work.session.execute(_COUNT, {"wanted": rule_set_id})).scalar_one())


async def content_of(work: Work, rule_set_id: UUID) -> str:
    """All kept parts of a file, together."""
    return "".join(await work.session.scalars(_PARTS, {"wanted": rule_set_id}))


async def add_rules(work: Work, rule_set_id: UUID, known: KnownRules, content: str) -> None:
    """Adds complete rules, and deletes their parts and those of loads that were broken off."""
    row = {
        "rule_set_id": rule_set_id,
        "form": known.rules.form,
        "version": known.rules.version,
        "valid_from": known.rules.valid_from,
        "content": content,
        "loaded_at": work.now,
    }
    await work.session.execute(insert(origin_rule_sets), [row])
    await drop_parts(work, rule_set_id)


async def drop_parts(work: Work, rule_set_id: UUID) -> None:
    """Deletes the parts of a file, and those of loads that were broken off."""
    old = or_(_P.rule_set_id == rule_set_id, _P.received_at < work.now - ABANDONED)
    await work.session.execute(delete(origin_rule_parts).where(old))
