"""The permissions of each role as one table, generated from the contracts: `python -m shared.contracts.permissions`."""

from pathlib import Path

from shared.contracts.index import SERVICES, requests_to
from shared.contracts.messages import Command, Request
from shared.contracts.roles import Role

FILE = Path(__file__).parents[2] / "docs" / "permissions.md"

HEADING = """# Permissions

Generated from the contracts by `make generate`: do not edit. `tests/contracts/test_permissions.py` tests every cell with the
handlers.

| cell | meaning |
|---|---|
| **yes** | permitted with this role |
| *own* | permitted for every signed-in user; the handler checks ownership |
| **all** | permitted without signing in |
| **confirmed** | also needs a step-up token, issued for a new code or a passkey and valid for exactly this command |
| **agents** | also permitted with this role under a mandate of the exporter, for a person or an API key |

Every other request under a mandate is refused. A request of a person who must have a second factor and has none is refused
unless the table permits it.
"""


def as_text() -> str:
    """Returns the text of `docs/permissions.md`."""
    columns = [role.replace("_", " ") for role in Role]
    lines = [HEADING]
    for service in SERVICES:
        requests = requests_to(service)
        if not requests:
            continue
        lines += [f"\n## {service}\n", f"| | {' | '.join(columns)} | also |", "|---" * (len(columns) + 2) + "|"]
        lines += [_row(request) for request in sorted(requests, key=lambda each: each.__name__)]
    return "\n".join(lines) + "\n"


def _row(request: type[Request]) -> str:
    cells = [_cell(request, role) for role in Role]
    return f"| `{request.__name__}` | {' | '.join(cells)} | {', '.join(_besides(request))} |"


def _cell(request: type[Request], role: Role) -> str:
    if request.anonymous:
        return "**all**"
    if not request.asked_by:
        return "*own*"
    return "**yes**" if role in request.asked_by else ""


def _besides(request: type[Request]) -> list[str]:
    besides = []
    if issubclass(request, Command) and request.step_up:
        besides.append("**confirmed**")
    if request.under_mandate:
        besides.append("**agents**")
    if request.while_enrolling:
        besides.append("also before the second factor is set up")
    return besides


if __name__ == "__main__":
    FILE.write_text(as_text())
