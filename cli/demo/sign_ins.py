"""The people of the demo who can sign in to the portal. Their passwords and authenticators are stored under the root."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

from cli.demo.accounts import Account, Authenticator
from shared.contracts.roles import Role

DOMAIN = "demo.example"
CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""The characters of passwords, without those that look like another one."""


@dataclass(frozen=True)
class SignIn:
    """A person who can sign in. `name`: the first part of the address, and the NAME of `co code NAME`.

    `does`: what this person does in the portal.
    """

    name: str
    full_name: str
    does: str
    roles: tuple[Role, ...]

    @property
    def email(self) -> str:
        """The e-mail address."""
        return f"{self.name}@{DOMAIN}"


COMPANY_PEOPLE = (
    SignIn("exporter", "Sok Dara", "administers a company and submits its certificates", ()),
    SignIn("preparer", "Chan Sopheap", "prepares certificates for the same company", (Role.PREPARER,)),
    SignIn("agent", "Lim Visal", "a freight forwarder that acts for the company", ()),
)
"""People of companies. The first person of a company has all its roles."""

OFFICERS = (
    SignIn("registration", "Keo Sreymom", "decides on the registrations of companies", (Role.REGISTRATION_OFFICER,)),
    SignIn("reviewer", "Heng Sokha", "examines products and certificates", (Role.REVIEWER,)),
    SignIn("approver", "Nuon Kosal", "approves certificates, also many at once", (Role.APPROVER,)),
    SignIn("cashier", "Pich Bopha", "records payments", (Role.CASHIER,)),
    SignIn("administrator", "Ros Vichea", "administers officers and offices", (Role.ADMINISTRATOR,)),
    SignIn("auditor", "Tep Malis", "reads everything and changes nothing", (Role.AUDITOR,)),
    SignIn(
        "customs",
        "Chea Rithy",
        "reads the documents of other countries at customs, and decides on the preference",
        (Role.CUSTOMS_VIEWER, Role.CUSTOMS_OFFICER),
    ),
)


class SignIns:
    """The sign-ins of one demo, in a folder that only its owner can enter.

    They are made once for each root. `complete`: whether everything that the demo leaves was made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "sign-ins.json"
        self._stored: dict[str, Any] | None = json.loads(self._file.read_text()) if self._file.exists() else None

    @classmethod
    def under(cls, root: Path) -> "SignIns":
        """The sign-ins of the system under a root."""
        return cls(root / "demo")

    @property
    def exist(self) -> bool:
        """Whether a demo has made them."""
        return self._stored is not None

    @property
    def complete(self) -> bool:
        """Whether the demo has made everything that it leaves."""
        return bool(self._stored and self._stored["complete"])

    def make(self) -> None:
        """Chooses the identity of this demo, once."""
        if self._stored is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._save({"id": str(uuid4()), "complete": False, "passwords": {}})

    def finish(self) -> None:
        """Records that everything was made."""
        self._save({**self._content, "complete": True})

    def id_of(self, thing: str) -> UUID:
        """The id of a thing of this demo: the same in every run."""
        return uuid5(UUID(self._content["id"]), thing)

    def password(self, name: str) -> str:
        """The password of a person. It is chosen when it is asked for first."""
        if name not in self._content["passwords"]:
            chosen = "-".join("".join(secrets.choice(CHARACTERS) for _ in range(4)) for _ in range(4))
            self._save({**self._content, "passwords": {**self._content["passwords"], name: chosen}})
        return str(self._content["passwords"][name])

    def account(self, name: str) -> Account:
        """The account of a person. Its authenticator keeps its secret in the folder."""
        return Account(f"{name}@{DOMAIN}", self.password(name), Authenticator(self.authenticator_file(name)))

    def authenticator_file(self, name: str) -> Path:
        """The file with the secret of a person's authenticator, if they have one."""
        return self._folder / f"{name}-authenticator"

    @property
    def _content(self) -> dict[str, Any]:
        assert self._stored is not None, "call make() first"
        return self._stored

    def _save(self, content: dict[str, Any]) -> None:
        written = self._file.with_suffix(".new")
        written.touch(mode=0o600)
        written.write_text(json.dumps(content, indent=2) + "\n")
        os.replace(written, self._file)
        self._stored = content
