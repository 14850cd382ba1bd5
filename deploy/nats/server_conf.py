"""The configuration of a nats-server: one account per country, each user known by the public half of its nkey."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.nats.permissions import FILE


@dataclass(frozen=True)
class Account:
    """A country on the bus: it shares no subject, stream or user with another."""

    country: str
    public_keys: Mapping[str, str]
    """The public nkey of each user."""


def write_server_conf(path: Path, accounts: tuple[Account, ...], *, store_dir: Path, port: int, monitor_port: int) -> None:
    """Writes the configuration, and beside it the permissions that it includes. Listens on this machine only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / FILE.name).write_text(FILE.read_text())  # an include is always relative
    countries = "\n".join(map(_account, accounts))
    path.write_text(
        f"""\
server_name: co
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor_port}"
max_payload: 1MB
jetstream {{
  store_dir: {json.dumps(str(store_dir))}
  sync_interval: always
}}

include ./{FILE.name}

accounts {{
{countries}
}}
"""
    )


def _account(account: Account) -> str:
    users = "\n".join(
        f"      {{ nkey: {key}, permissions: $may_{user} }}  # {user}" for user, key in account.public_keys.items()
    )
    return f"  {account.country} {{\n    jetstream: enabled\n    users: [\n{users}\n    ]\n  }}"
