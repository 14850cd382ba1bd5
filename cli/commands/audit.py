"""`co audit`: checks that the services agree and that nothing accepted is lost or duplicated."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Annotated

from cyclopts import Parameter

from cli.consistency_rules import FactReader, Finding
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
    """Compare the facts of all services. Exits with 1 if anything is lost, duplicated or a dead letter.

    Parameters
    ----------
    patience
        Seconds to repeat the comparison while messages may still be in transit.
    answer_within
        Seconds after which a service that does not answer counts as unreachable.
    json_file
        The file for the findings with every offender, as JSON.
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
            _print_offenders(finding)
    return 0 if all(finding.holds for finding in findings) else 1


def _print_offenders(finding: Finding) -> None:
    console = plain()
    console.print(f"\nViolated: {finding.says}")
    for offender in finding.offenders[:OFFENDERS_SHOWN]:
        console.print(f"  {offender}")
    if len(finding.offenders) > OFFENDERS_SHOWN:
        console.print(f"  and {len(finding.offenders) - OFFENDERS_SHOWN} more: see --json FILE")


async def audited(bus: BusClient, services: tuple[str, ...], patience: float) -> list[Finding]:
    """The findings of all rules. Repeats the comparison until every rule holds, for at most `patience` seconds."""
    until = monotonic() + patience
    while True:
        reader = FactReader(bus, services)
        await reader.load()
        own = await asyncio.gather(*(_of_service(bus, service) for service in services))
        findings = [*await reader.findings(), *(finding for found in own for finding in found)]
        if all(finding.holds for finding in findings) or monotonic() > until:
            return findings
        await asyncio.sleep(PAUSE)


async def _of_service(bus: BusClient, service: str) -> list[Finding]:
    """The findings about one service alone."""
    try:
        lag: Lag = await bus.ask(AskLag(), service=service)
        recovery: Recovery = await bus.ask(AskRecovery(), service=service)
    except NobodyAnswers:
        return [Finding(f"{service} answers", 1, (service,))]
    return [
        Finding(
            f"{service} has published all its events", lag.outbox_waiting, _some(lag.outbox_waiting, "events not published")
        ),
        Finding(
            f"{service} has processed all its events", lag.events_waiting, _some(lag.events_waiting, "events not processed")
        ),
        Finding(f"{service} has no dead letters", lag.dead_letters, _some(lag.dead_letters, "dead letters: co dead list")),
        Finding(f"{service} is not in recovery", 1, (recovery.because or "",) if recovery.recovering else ()),
    ]


def _some(count: int, what: str) -> tuple[str, ...]:
    return (f"{count} {what}",) if count else ()
