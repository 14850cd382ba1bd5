"""Writes the configuration of a nats-server: an account for each country, and users with public nkeys."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.nats.permissions import FILE

STREAM_SUBJECTS = {"evt.>": "single", "$JS.API.>": "stream", "$JS.ACK.>": "single"}
"""The subjects that the users import from the account of their stream, with the response type of each."""


@dataclass(frozen=True)
class Account:
    """The account of a country on the bus. Accounts share no subject, stream or user."""

    country: str
    public_keys: Mapping[str, tuple[str, ...]]
    """The public nkeys of each user: the present one, and former ones while they are valid."""


@dataclass(frozen=True)
class Tls:
    """The TLS certificate and key of the server, as paths on its machine."""

    certificate: Path
    key: Path

    def as_config(self) -> str:
        """The block `tls` of the configuration."""
        return f"tls {{\n  cert_file: {json.dumps(str(self.certificate))}\n  key_file: {json.dumps(str(self.key))}\n}}\n"


@dataclass(frozen=True)
class Cluster:
    """One server of a cluster that replicates the stream. Servers authenticate each other by certificates of `authority`."""

    name: str
    peers: tuple[str, ...]
    authority: Path

    def as_config(self, tls: Tls) -> str:
        """The block `cluster` of the configuration. Clients get the list of servers from their own settings."""
        routes = json.dumps([f"nats://{peer}:6222" for peer in self.peers if peer != self.name])
        files = f"cert_file: {json.dumps(str(tls.certificate))}\n    key_file: {json.dumps(str(tls.key))}"
        return f"""\
cluster {{
  name: co
  listen: "0.0.0.0:6222"
  no_advertise: true
  routes: {routes}
  tls {{
    {files}
    ca_file: {json.dumps(str(self.authority))}
    verify: true
    timeout: 5
  }}
}}
"""


def write_server_conf(
    path: Path,
    accounts: tuple[Account, ...],
    *,
    store_dir: Path,
    listen: str,
    monitor: str,
    tls: Tls | None = None,
    cluster: Cluster | None = None,
) -> None:
    """Writes the configuration, and beside it the permissions that it includes. `listen` and `monitor` are `host:port`.

    Raises ValueError for a cluster without TLS.
    """
    if cluster and not tls:
        raise ValueError("the servers of a cluster authenticate each other by certificates: give `tls`")
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / FILE.name).write_text(FILE.read_text())  # nats-server includes relative paths only
    countries = "\n".join(map(_account, accounts))
    path.write_text(
        f"""\
server_name: {cluster.name if cluster else "co"}
listen: {json.dumps(listen)}
http: {json.dumps(monitor)}
max_payload: 1MB
# a lost client is disconnected after ten seconds, so that no request waits for it longer
ping_interval: "5s"
ping_max: 2
jetstream {{
  store_dir: {json.dumps(str(store_dir))}
  sync_interval: always
}}
{tls.as_config() if tls else ""}{cluster.as_config(tls) if cluster and tls else ""}
include ./{FILE.name}

accounts {{
{countries}
}}
"""
    )


def _account(account: Account) -> str:
    """The account of a country's users, and the account of its stream, which has no users (decision 0018).

    JetStream replies stay in the account of the users, so a reply subject such as `evt.fee.settled.v1` never reaches the
    stream. A JetStream request may have several responses; an event and an acknowledgement have one.
    """
    users = "\n".join(
        f"      {{ nkey: {key}, permissions: $may_{user} }}  # {user}"
        for user, keys in account.public_keys.items()
        for key in keys
    )
    stream = f"{account.country}_STREAM"
    imports = "\n".join(f'      {{ service: {{ account: {stream}, subject: "{subject}" }} }}' for subject in STREAM_SUBJECTS)
    exports = "\n".join(
        f'      {{ service: "{subject}", response: {kind}, accounts: [{account.country}] }}'
        for subject, kind in STREAM_SUBJECTS.items()
    )
    return f"""\
  {account.country} {{
    users: [
{users}
    ]
    imports: [
{imports}
    ]
  }}
  {stream} {{
    jetstream: enabled
    exports: [
{exports}
    ]
  }}"""
