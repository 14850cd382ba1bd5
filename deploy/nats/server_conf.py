"""The configuration of a nats-server: one account per country, each user known by the public half of its nkey."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.nats.permissions import FILE

STREAM_SUBJECTS = {"evt.>": "single", "$JS.API.>": "stream", "$JS.ACK.>": "single"}
"""What the users of a country ask of the account that keeps their stream, and how many answers each request may have."""


@dataclass(frozen=True)
class Account:
    """A country on the bus: it shares no subject, stream or user with another."""

    country: str
    public_keys: Mapping[str, tuple[str, ...]]
    """The public nkeys of each user: one, or two while the former one still counts."""


@dataclass(frozen=True)
class Tls:
    """What the server shows, as paths where the server finds them."""

    certificate: Path
    key: Path

    def as_config(self) -> str:
        """The form that nats-server reads."""
        return f"tls {{\n  cert_file: {json.dumps(str(self.certificate))}\n  key_file: {json.dumps(str(self.key))}\n}}\n"


@dataclass(frozen=True)
class Cluster:
    """One server of several that keep the stream together; they know each other by certificates of one authority."""

    name: str
    peers: tuple[str, ...]
    authority: Path

    def as_config(self, tls: Tls) -> str:
        """The form that nats-server reads. Clients are told all servers by their own settings, not by the servers."""
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

    The servers of a cluster must have TLS. Raises ValueError.
    """
    if cluster and not tls:
        raise ValueError("the servers of a cluster know each other by their certificates: say `tls`")
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / FILE.name).write_text(FILE.read_text())  # an include is always relative
    countries = "\n".join(map(_account, accounts))
    path.write_text(
        f"""\
server_name: {cluster.name if cluster else "co"}
listen: {json.dumps(listen)}
http: {json.dumps(monitor)}
max_payload: 1MB
# a client that is cut off is given up after ten seconds, so that no request waits for it longer
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

    What the server answers for JetStream stays among the users: a reply subject such as `evt.fee.settled.v1` does not lead it
    into the stream. Requests of JetStream may have several answers, an event and an acknowledgement have one.
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
