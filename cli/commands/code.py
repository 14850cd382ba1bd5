"""`co code` prints the code of an officer of the demo, so that nobody needs a phone to try the portal."""

from pathlib import Path
from time import time

import pyotp

from cli.demo.sign_ins import COMPANY_PEOPLE, OFFICERS, SignIns
from cli.output import plain
from cli.target import CommandFailed

MIN_SECONDS = 5
"""The seconds for which the code is valid at least. registry accepts the next code already."""


def code(name: str, *, root: Path = Path("var")) -> None:
    """Print the present code of a demo officer's authenticator. A code works once.

    Parameters
    ----------
    name
        The first part of the officer's address, such as `approver`.
    root
        The folder of the system in which `co demo` has made the officer.
    """
    plain().print(present_code(name.partition("@")[0], root, time()))


def present_code(name: str, root: Path, now: float) -> str:
    """The code at an instant, in seconds since 1970. Raises CommandFailed."""
    if not SignIns.under(root).exist:
        raise CommandFailed(f"There is no demo under {root}: only the officers that `co demo` has made have codes here.")
    if name in [person.name for person in COMPANY_PEOPLE]:
        raise CommandFailed(f"{name} needs no code: the password is enough.")
    officers = [person.name for person in OFFICERS]
    if name not in officers:
        raise CommandFailed(f"The demo has no officer {name}; it has {', '.join(officers)}.")
    file = SignIns.under(root).authenticator_file(name)
    if not file.exists():
        raise CommandFailed(f"{name} has no authenticator yet: let `co demo` end first.")
    return pyotp.TOTP(file.read_text().strip()).at(int(now) + MIN_SECONDS)
