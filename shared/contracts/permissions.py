"""Who may ask what, as one table made from the contracts: `python -m shared.contracts.permissions`."""

from pathlib import Path

from shared.contracts.index import SERVICES, requests_to
from shared.contracts.messages import Command, Request
from shared.contracts.roles import Role

FILE = Path(__file__).parents[2] / "docs" / "permissions.md"

HEADING = """# Who may ask what

Made from the contracts by `make generate`: do not edit. `tests/contracts/test_permissions.py` tries every cell against the
handlers.

**yes**: whoever has one of these roles is let in. *own*: it is enough to be signed in; the handler says whose things one may
touch and see. **all**: also without signing in. **confirmed**: besides the role, a step-up token, given for a fresh code of the
second factor and bound to exactly this command. **agents**: also whoever has the role under a mandate of the exporter, in
person or with an API key; nothing else is let in under a mandate. An officer who has not yet set up the second factor is let
in only where it says so.
"""


def as_text() -> str:
    """The document as it is checked in."""
    columns = [role.replace("_", " ") for role in Role]
    lines = [HEADING]
    for service in SERVICES:
        requests = requests_to(service)
        if not requests:
            continue
        lines += [f"\n## {service}\n", f"| | {' | '.join(columns)} | besides |", "|---" * (len(columns) + 2) + "|"]
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
