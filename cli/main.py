"""`co`, the project's command line."""

import logging
import sys
from importlib.metadata import version
from typing import Any

from cyclopts import App
from nats.errors import Error as NatsError
from rich.console import Console

from cli.backup_archive import BackupRefused
from cli.commands import asean, bus, certificate, check_key, dead, imports, nomenclature, origin, rules, secrets
from cli.commands import audit_trail as trail
from cli.commands.audit import audit
from cli.commands.backup import backup, restore
from cli.commands.code import code
from cli.commands.health import health
from cli.commands.recover import recover
from cli.commands.trace import trace
from cli.commands.up import show, up
from cli.target import CommandFailed
from deploy.embedded.processes import StackFailed
from shared.bus.client import AskRefused, NobodyAnswers

EXPECTED = (CommandFailed, StackFailed, BackupRefused, AskRefused, NobodyAnswers, NatsError, OSError)

TLS_ENDED = "returning true from eof_received() has no effect when using ssl"
"""asyncio logs this warning whenever a client of the bus closes a TLS connection. It has no consequence."""


def _is_relevant(record: logging.LogRecord) -> bool:
    return record.msg != TLS_ENDED


class CommandLine(App):
    """An app that prints an expected error in one sentence and exits with 2."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        logging.getLogger("asyncio").addFilter(_is_relevant)
        try:
            return super().__call__(*args, **kwargs)
        except EXPECTED as error:
            Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print(f"co: {error or type(error).__name__}")
            sys.exit(2)


app = CommandLine(
    name="co", help="Certificates of origin: run and operate the system.", version=lambda: version("co-automation")
)
app.command(up)
app.command(show, name="demo")
app.command(code)
app.command(health)
app.command(audit)
app.command(trace)
app.command(backup)
app.command(restore)
app.command(recover)
app.command(bus.app)
app.command(trail.app)
app.command(dead.app)
app.command(imports.app)
app.command(secrets.app)
app.command(asean.app)
app.command(certificate.app)
app.command(nomenclature.app)
app.command(origin.app)
app.command(rules.app)
app.command(check_key.app)
