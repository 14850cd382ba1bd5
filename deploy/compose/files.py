"""Writes the files of `docker-compose.yml`: a folder for each container, with its own secrets only."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from deploy.nats.permissions import USERS
from deploy.nats.server_conf import Account, Cluster, Tls, write_server_conf
from deploy.offices import issuing_offices
from deploy.secrets import Secrets
from shared.contracts.index import OPERATOR, SERVICES

GATEWAYS = ("gateway", "gateway-abroad")
REPLICATED = (*SERVICES, "gateway-abroad")
"""All services with their own database."""
BUS = ("nats", "nats-2", "nats-3")
"""The servers of the bus. The last two run in a cluster only."""
DATABASES = tuple(f"{name}-db" for name in REPLICATED)
HOSTS = (*BUS, *GATEWAYS, "proxy", *DATABASES)
"""The containers with a TLS certificate."""
ROLES = ("owner", "migrator", "service")
"""The roles of a database: its owner, the role that migrates the schema, and the role that changes rows only."""
GRAFANA = "grafana"

IN_CONTAINER = Path("/run/co")
"""The mount point of the folder in a container."""


class ComposeFiles:
    """The files of one run of compose, for a country and its partner."""

    def __init__(self, folder: Path, country: str, partner: str) -> None:
        self.handed = folder / "handed"
        self.mail = folder / "mail"
        """The folder for the emails of registry if no mail server is configured."""
        self.secrets = Secrets(folder / "secrets")
        self._country, self._partner = country, partner
        self._users = {country: USERS, partner: ("gateway", OPERATOR)}

    def make(self) -> list[Path]:
        """Creates the missing secrets and writes all folders of the containers again; returns the created secrets."""
        roles = {GRAFANA: ("admin",)} | dict.fromkeys(DATABASES, ROLES)
        made = self.secrets.make(self._users, HOSTS, roles, {self._country: issuing_offices()})
        self.secrets.smtp_password.touch(mode=0o600)  # empty without a mail server, or if it needs no password
        self.handed.mkdir(mode=0o700, exist_ok=True)
        self.mail.mkdir(exist_ok=True)
        self.mail.chmod(0o777)  # the user of the container writes here; only the owner can enter the parent folder
        for container, files in self._files_of_containers():
            for name, source in files.items():
                self._copy(container, name, source)
        for server in BUS:
            self._configure_bus(server)
        for country, services, containers in (
            (self._country, SERVICES, (*SERVICES, "operator")),
            (self._partner, ("gateway",), ("gateway-abroad", "operator-abroad")),
        ):
            keys = self.secrets.write_event_keys(country, services)
            for container in containers:
                self._copy(container, "event.keys", keys)
        self._write_partners("gateway", self._partner, "gateway-abroad:8000", ["partner-tls.crt"])
        self._write_partners("gateway-abroad", self._country, "proxy:8444", ["partner-tls.crt", "proxy-tls.crt"])
        self._make_readable()
        return made

    def _files_of_containers(self) -> Iterator[tuple[str, dict[str, Path]]]:
        """Each container with its files: their names in the container and their sources."""
        secrets, home, partner = self.secrets, self._country, self._partner
        ca = {"ca.crt": secrets.ca_certificate}
        for name in REPLICATED:
            country, service = (partner, "gateway") if name == "gateway-abroad" else (home, name)
            password = partial(secrets.database_password, f"{name}-db")
            yield f"{name}-db", {f"{role}.password": password(role) for role in ROLES}
            yield f"{name}-migrate", ca | {"database.password": password("migrator")}
            yield name, ca | {"bus.seed": secrets.seed(country, service), "database.password": password("service")}
        yield (
            "registry",
            {
                "token.key": secrets.registry_signing_key,
                "second-factor.key": secrets.second_factor_key,
                "administrator.password": secrets.administrator_password,
                "smtp.password": secrets.smtp_password,
            },
        )
        keys = {f"document-keys/{file.name}": file for file in secrets.document_keys.iterdir()}
        yield "certificates", keys | {"document-keys.password": secrets.document_password}
        yield "operator", {"document-authority.crt": secrets.document_authority}
        for name, country, other in zip(GATEWAYS, (home, partner), (partner, home), strict=True):
            signing = {"signing.crt": secrets.signing_certificate(country), "signing.key": secrets.signing_key(country)}
            (tls,) = (secrets.tls_certificate(each) for each in GATEWAYS if each != name)
            yield name, signing | {"partner.crt": secrets.signing_certificate(other), "partner-tls.crt": tls}
        yield "gateway-abroad", {"proxy-tls.crt": secrets.tls_certificate("proxy")}
        for host in HOSTS:
            yield host, ca | {"tls.crt": secrets.tls_certificate(host), "tls.key": secrets.tls_key(host)}
        yield "operator", ca | {"bus.seed": secrets.seed(home, OPERATOR)}
        yield "operator-abroad", ca | {"bus.seed": secrets.seed(partner, OPERATOR)}
        yield "prometheus", ca
        yield GRAFANA, {"admin.password": secrets.database_password(GRAFANA, "admin")}

    def _copy(self, container: str, name: str, source: Path) -> None:
        file = self.handed / container / name
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, file)

    def _configure_bus(self, server: str) -> None:
        accounts = tuple(
            Account(country, {user: self.secrets.public_keys(country, user, datetime.now(UTC)) for user in users})
            for country, users in self._users.items()
        )
        write = partial(
            write_server_conf,
            accounts=accounts,
            store_dir=Path("/data"),
            listen="0.0.0.0:4222",
            monitor="127.0.0.1:8222",
            tls=Tls(IN_CONTAINER / "tls.crt", IN_CONTAINER / "tls.key"),
        )
        write(self.handed / server / "nats.conf")
        write(self.handed / server / "cluster.conf", cluster=Cluster(server, BUS, IN_CONTAINER / "ca.crt"))

    def _make_readable(self) -> None:
        """Lets the user of each container read its folder. Only the owner can enter the parent folder."""
        for path in self.handed.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)

    def _write_partners(self, gateway: str, country: str, host: str, tls: list[str]) -> None:
        """Writes the partner directory of a gateway. `tls`: the files of the TLS certificates, beside the directory."""
        partner = {
            "country": country,
            "address": f"https://{host}/asw/messages",
            "signing_certificates": ["partner.crt"],
            "tls_certificates": tls,
            "documents": [{"code": "acdd"}],
            "trust_trace": True,
        }
        (self.handed / gateway / "partners.json").write_text(json.dumps({"partners": [partner]}, indent=2))
