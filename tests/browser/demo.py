"""The system as `make demo` starts it, in processes of its own, with the people whom it leaves."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep, time

import pyotp

from cli.demo.accounts import TOTP_STEP
from cli.demo.sign_ins import COMPANY_PEOPLE, SignIns
from deploy.embedded.layout import Layout
from tests.browser.reader import ROOT

PATIENCE = 300
"""Seconds for the demo to be ready."""
LAST_LINE = "Ctrl-C stops it."


@dataclass
class DemoPerson:
    """A person of the demo."""

    name: str
    email: str
    password: str
    totp: pyotp.TOTP | None = None


@dataclass
class Demo:
    """The running demo. The addresses have no slash at the end. `seconds`: from the command to the table of people."""

    root: Path
    address: str
    public: str
    seconds: float
    _used: dict[str, int] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """A certificate that has reached the customs of its destination."""
        references = re.findall(r"reference=(\S+)", self.root.with_suffix(".log").read_text())
        return references[0]

    def person(self, name: str) -> DemoPerson:
        """A person of the demo, by the first part of the address."""
        sign_ins = SignIns.under(self.root)
        secret = sign_ins.authenticator_file(name)
        needs_code = name not in {each.name for each in COMPANY_PEOPLE}
        account = sign_ins.account(name)
        return DemoPerson(name, account.email, account.password, pyotp.TOTP(secret.read_text().strip()) if needs_code else None)

    def code_of(self, person: DemoPerson) -> str:
        """An unused code of a person's authenticator. registry accepts the next code, not a later one."""
        assert person.totp
        step = max(self._used.get(person.name, 0), int(time()) // TOTP_STEP) + 1
        sleep(max(0.0, (step - 1) * TOTP_STEP - time()))
        self._used[person.name] = step
        return person.totp.generate_otp(step)


@contextmanager
def a_demo(root: Path) -> Iterator[Demo]:
    """Starts the demo; stops it at the end."""
    began, log = monotonic(), root.with_suffix(".log")
    command = (sys.executable, "-c", "from cli.main import app; app()", "demo", "--root", str(root), "--any-ports")
    with log.open("w") as output:
        running = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        while LAST_LINE not in log.read_text():
            if running.poll() is not None or monotonic() - began > PATIENCE:
                raise RuntimeError(f"the demo is not ready:\n{log.read_text()[-3000:]}")
            sleep(0.5)
        layout = Layout.of_running(root)
        yield Demo(root, layout.portal_address.removesuffix("/portal"), layout.public_address, monotonic() - began)
    finally:
        running.terminate()
        running.wait(timeout=60)
