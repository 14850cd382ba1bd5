"""`co audit`: whether the services agree, and nothing that was accepted is lost or there twice."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Annotated

from cyclopts import Parameter

from cli.consistency_rules import Finding, Ledgers
from cli.output import page, plain, table
from cli.target import Where
from shared.bus.client import BusClient, NobodyAnswers
from shared.contracts.operations import AskLag, AskRecovery, Lag, Recovery

OFFENDERS_SHOWN = 10
PAUSE = 0.5


async def audit(
    *,
    where: Where | None = None,
    patience: float = 15.0,
    answer_within: float = 30.0,
    json_file: Annotated[Path | None, Parameter("--json")] = None,
) -> int:
    """Ask every service what it vouches for, and compare. Ends with 1 where something is lost, there twice or given up.

    Parameters
    ----------
    patience
        Seconds to look again, where something may still be on its way.
    answer_within
        Seconds after which a service that is silent counts as away.
    json_file
        Where to write the findings with every offender, for programs.
    """
    target = (where or Where()).target()
    async with target.client() as client:
        findings = await audited(BusClient(client, answer_within), target.services, patience)
    if json_file:
        rows = [asdict(finding) | {"holds": finding.holds} for finding in findings]
        json_file.write_text(json.dumps({"holds": all(f.holds for f in findings), "rules": rows}, indent=2) + "\n")
    shown = table("rule", right=("of", "lost", "offenders"))
    for finding in findings:
        result = "[green]none[/]" if finding.holds else f"[red]{len(finding.offenders)}[/]"
        shown.add_row(finding.says, str(finding.count), str(finding.lost or ""), result)
    page().print(shown)
    for finding in findings:
        if not finding.holds:
            _name_offenders(finding)
    return 0 if all(finding.holds for finding in findings) else 1


def _name_offenders(finding: Finding) -> None:
    console = plain()
    console.print(f"\nNot so: {finding.says}")
    for offender in finding.offenders[:OFFENDERS_SHOWN]:
        console.print(f"  {offender}")
    if len(finding.offenders) > OFFENDERS_SHOWN:
        console.print(f"  and {len(finding.offenders) - OFFENDERS_SHOWN} more: see --json FILE")


async def audited(asker: BusClient, services: tuple[str, ...], patience: float) -> list[Finding]:
    """What is found, once nothing changes it any more or patience has ended."""
    until = monotonic() + patience
    while True:
        ledgers = Ledgers(asker, services)
        await ledgers.open()
        waits = await asyncio.gather(*(_of_service(asker, service) for service in services))
        findings = [*await ledgers.findings(), *(finding for found in waits for finding in found)]
        if all(finding.holds for finding in findings) or monotonic() > until:
            return findings
        await asyncio.sleep(PAUSE)


async def _of_service(asker: BusClient, service: str) -> list[Finding]:
    """What one service must say of itself."""
    try:
        lag: Lag = await asker.ask(AskLag(), service=service)
        recovery: Recovery = await asker.ask(AskRecovery(), service=service)
    except NobodyAnswers:
        return [Finding(f"{service} answers", 1, (service,))]
    return [
        Finding(f"{service} has told all its events", lag.outbox_waiting, _some(lag.outbox_waiting, "events not sent")),
        Finding(f"{service} has taken all it was told", lag.events_waiting, _some(lag.events_waiting, "events not taken")),
        Finding(f"{service} has given nothing up", lag.dead_letters, _some(lag.dead_letters, "dead letters: co dead list")),
        Finding(f"{service} is not in recovery", 1, (recovery.because or "",) if recovery.recovering else ()),
    ]


def _some(count: int, what: str) -> tuple[str, ...]:
    return (f"{count} {what}",) if count else ()
