"""`co rules`: loads the origin rules of a form, and shows those that are known."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from pydantic import ValidationError
from rich.console import Console

from cli.commands.origin import day_in, read_file
from cli.output import plain
from cli.target import CommandFailed, Where
from services.certificates.origin_rules import RuleFileFaulty, canonical, digest_of, read_rules_file, shipped_rules
from services.certificates.origin_rules_views import shown_rules
from shared.contracts.certificates.origin_rules import (
    MAX_PART,
    MAX_PARTS,
    LoadOriginRules,
    OriginRulesFile,
    OriginRulesLoaded,
    ShownOriginRules,
    ShownRules,
    ShowOriginRules,
)
from shared.refusals import Refused

CERTIFICATES = "certificates"
PATIENCE = 60.0

app = App(name="rules", help="The origin rules of forms: load a file, and show the rules for an HS code.")


@app.command
async def load(file: Path, *, where: Where | None = None) -> None:
    """Load a file of origin rules. From its first day on, goods are assessed by it. `docs/origin.md` describes the file.

    Idempotent: the same content changes nothing. A load that was interrupted has no effect.

    Parameters
    ----------
    file
        The rules of one form, as JSON. `co origin schema origin-rules` prints its schema.
    """
    try:
        content, rules = read_rules_file(read_file(file))
    except RuleFileFaulty as faulty:
        raise CommandFailed("\n".join([f"{file} is refused.", *map(str, faulty.faults)])) from None
    async with (where or Where()).target().bus_client(PATIENCE) as bus:
        for part in parts_of(content):
            loaded: OriginRulesLoaded = await bus.ask(part, service=CERTIFICATES)
            if loaded.unchanged:
                plain().print(
                    f"Form {rules.form}, version {rules.version}, is known with the same content: nothing has changed."
                )
                return
    if not loaded.complete:
        raise CommandFailed(f"certificates has {loaded.received} parts of the file: load it again.")
    plain().print(
        f"Form {rules.form}, version {rules.version}, is loaded: valid from {rules.valid_from}, {len(rules.lines):,} HS codes."
    )


@app.command
async def show(
    *,
    form: str | None = None,
    hs: str | None = None,
    on: str | None = None,
    where: Where | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Show the origin rules of the running system, or those of this release if none runs here.

    Parameters
    ----------
    form
        Only this form, such as D.
    hs
        Also the rule for this HS code.
    on
        The day for which it says what is in force. Today, if it is not given.
    as_json
        Print the answer as JSON.
    """
    day = day_in(on)
    shown = await _shown(form, hs, day, where or Where())
    if as_json:
        plain().print(json.dumps(shown.model_dump(mode="json"), ensure_ascii=False))
    else:
        for each in shown.rules:
            _print(each)


async def _shown(form: str | None, hs: str | None, on: date, where: Where) -> ShownOriginRules:
    """The rules of the running system, else those of this release."""
    try:
        question = ShowOriginRules(form=form, hs=hs, on=on)
    except ValidationError as error:
        named = {"form": "A form has a name such as D.", "hs": "An HS code has 2 to 11 digits, without points."}
        raise CommandFailed(named.get(str(error.errors()[0]["loc"][0]), "The question is malformed.")) from None
    try:
        target = where.target()
    except CommandFailed:
        if where.nats_url or where.seed_file:
            raise
        Console(stderr=True).print(f"No system runs under {where.root}: these are the rules of this release.")
        try:
            return shown_rules(shipped_rules(), form, hs, on)
        except Refused as refused:
            raise CommandFailed(refused.detail) from None
    async with target.bus_client() as bus:
        shown: ShownOriginRules = await bus.ask(question, service=CERTIFICATES)
    return shown


def parts_of(content: OriginRulesFile) -> list[LoadOriginRules]:
    """The commands that load a file. Raises CommandFailed if it is too large."""
    text, sha256 = canonical(content), digest_of(content)
    pieces = [text[start : start + MAX_PART] for start in range(0, len(text), MAX_PART)]
    if len(pieces) > MAX_PARTS:
        raise CommandFailed(f"The file has more than {MAX_PARTS * MAX_PART:,} characters.")
    return [
        LoadOriginRules(sha256=sha256, parts=len(pieces), number=number, content=piece)
        for number, piece in enumerate(pieces, start=1)
    ]


def _print(each: ShownRules) -> None:
    state = "in force" if each.in_force else "not in force"
    came = f"loaded {each.loaded_at:%Y-%m-%d %H:%M} UTC" if each.loaded_at else "shipped with this release"
    console = plain()
    console.print(f"Form {each.form} ({each.agreement}), version {each.version}, valid from {each.valid_from}: {state}, {came}")
    listed = "the whole list" if each.complete else "not the whole list"
    console.print(f"  general rule: {each.general_rule}; RVC by the {each.rvc_method} method")
    console.print(f"  HS codes with a rule of their own: {each.lines:,}, {listed} of the agreement")
    if each.rule:
        own = "its own rule" if each.rule.listed else "the general rule"
        part = ", only a part of the subheading" if each.rule.part_of_subheading else ""
        console.print(f"  rule: {each.rule.rule} ({each.rule.article}), {own}{part}")
        for text in each.rule.processes:
            console.print(f"    {text.en}")
    console.print(f"  source: {each.source}")
