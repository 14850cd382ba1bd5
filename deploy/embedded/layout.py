"""The paths, ports and settings of an embedded run."""

import json
import os
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from random import SystemRandom
from typing import Self

from deploy.nats.permissions import USERS
from deploy.offices import issuing_offices
from deploy.secrets import Secrets
from shared.contracts.index import OPERATOR, SERVICES

HOME = "KH"
PARTNERS = ("VN", "MY", "SG", "ID")
CUSTOMS_RULES = Path(__file__).parents[2] / "examples" / "customs.json"

ANNOUNCERS_ABROAD = ("gateway", "certificates")
"""The users of a partner's account that announce events. No certificates service runs there; `co demo` announces as it."""

PUBLIC_PAGE, PORTAL, NATS, NATS_MONITOR, CUSTOMS, FIRST_OTHER = 8080, 8090, 4222, 8222, 8290, 8201

Ports = Callable[[Iterable[str]], dict[str, int]]
"""Chooses a port for each name."""


class Layout:
    """The paths, ports and addresses of one embedded run. `stack.json` stores their parameters while it runs."""

    def __init__(
        self,
        root: Path,
        *,
        country: str = HOME,
        partners: tuple[str, ...] = PARTNERS,
        services: tuple[str, ...] = SERVICES,
        ports: Ports | None = None,
    ) -> None:
        self.root = root.resolve()
        self.country = country
        self.partners = partners
        self.services = services
        self.secrets = Secrets(self.root / "secrets")
        self.spans_dir = self.root / "spans"
        self.log_dir = self.root / "log"
        self.mail_dir = self.root / "mail"
        self.state_file = self.root / "stack.json"
        self.ports = (ports or fixed_ports)(
            ("nats", "nats-monitor", "customs", *map(self.name, *zip(*self.replicas, strict=True)))
        )

    @classmethod
    def of_running(cls, root: Path) -> Self:
        """The layout of the stack that runs under a root. Raises FileNotFoundError if none runs."""
        state = json.loads((root / "stack.json").read_text())
        ports = state["ports"]
        return cls(
            root,
            country=state["country"],
            partners=tuple(state["partners"]),
            services=tuple(state["services"]),
            ports=lambda names: ports,
        )

    def state(self) -> str:
        """The content of `stack.json`, for `of_running`."""
        state = {"country": self.country, "partners": self.partners, "services": self.services, "ports": self.ports}
        return json.dumps(state, indent=2)

    @property
    def countries(self) -> tuple[str, ...]:
        """All countries with an account on the bus, the home country first."""
        return (self.country, *self.partners)

    @property
    def replicas(self) -> list[tuple[str, str]]:
        """All services with their countries: every service of the home country, and the gateway of each partner."""
        return [
            *((service, self.country) for service in self.services),
            *(("gateway", partner) for partner in self.partners),
        ]

    def services_of(self, country: str) -> tuple[str, ...]:
        """The services of a country."""
        return tuple(service for service, of in self.replicas if of == country)

    def announcers_of(self, country: str) -> tuple[str, ...]:
        """The users of a country's account whose events are genuine."""
        return self.services_of(country) if country == self.country else ANNOUNCERS_ABROAD

    @property
    def users(self) -> dict[str, tuple[str, ...]]:
        """The bus users of each country."""
        return {self.country: USERS} | dict.fromkeys(self.partners, (*ANNOUNCERS_ABROAD, OPERATOR))

    @property
    def offices(self) -> dict[str, tuple[str, ...]]:
        """The offices of the home country, whose keys seal documents."""
        return {self.country: issuing_offices()} if "certificates" in self.services else {}

    def name(self, service: str, country: str | None = None) -> str:
        """The name of a process: `gateway` in the home country, `gateway-vn` of a partner."""
        return service if country in (None, self.country) else f"{service}-{country.lower()}"

    def address(self, service: str, country: str | None = None) -> str:
        """The HTTP address of a service."""
        scheme = "https" if service == "gateway" else "http"
        return f"{scheme}://127.0.0.1:{self.ports[self.name(service, country)]}"

    @property
    def portal_address(self) -> str:
        """The address of the portal. Browsers offer passkeys for the name `localhost`, but for no IP address."""
        return f"http://localhost:{self.ports['portal']}/portal" if "portal" in self.ports else ""

    @property
    def public_address(self) -> str:
        """The address of the public site."""
        return f"http://localhost:{self.ports['tracking']}" if "tracking" in self.ports else ""

    def database_url(self, service: str, country: str | None = None) -> str:
        """The address of the database of a service."""
        return f"sqlite:///{self.root / 'data' / self.name(service, country)}.db"

    def log_file(self, name: str) -> Path:
        """The log file of a process."""
        return self.log_dir / f"{name}.log"

    @property
    def nats_url(self) -> str:
        """The address of the bus."""
        return f"nats://127.0.0.1:{self.ports['nats']}"

    def seed(self, user: str, country: str | None = None) -> str:
        """The nkey seed of a user of the bus."""
        return self.secrets.seed(country or self.country, user).read_text()

    def event_keys_file(self, country: str | None = None) -> Path:
        """The file with the public keys to verify the events of a country's services."""
        return self.secrets.event_keys_file(country or self.country)

    @property
    def administrator_password(self) -> str:
        """The password of the ministry's first administrator."""
        return self.secrets.administrator_password.read_text()

    @property
    def authenticator_file(self) -> Path:
        """The file in which `co demo` stores the authenticator secret of the first administrator."""
        return self.root / "people" / "administrator-authenticator"

    def partners_file(self, country: str) -> Path:
        """The file with the partners of a country's gateway."""
        return self.root / "partners" / f"{country}.json"

    def partners_of(self, country: str) -> dict[str, list[dict[str, object]]]:
        """The content of a partners file. The home country has all partners, each partner has the home country."""
        others = self.partners if country == self.country else (self.country,)
        return {
            "partners": [
                {
                    "country": other,
                    "address": f"{self.address('gateway', other)}/asw/messages",
                    "signing_certificates": [str(self.secrets.signing_certificate(other))],
                    "tls_certificates": [str(self.secrets.tls_certificate(gateway_host(other)))],
                    "documents": [{"code": "acdd"}],
                    "trust_trace": True,
                }
                for other in others
                if self.name("gateway", other) in self.ports
            ]
        }

    def environment(self, service: str, country: str) -> dict[str, str]:
        """The environment variables with the settings of one service."""
        general: dict[str, object] = {
            "COUNTRY": country,
            "DATABASE_URL": self.database_url(service, country),
            "NATS_URL": self.nats_url,
            "NATS_SEED_FILE": self.secrets.seed(country, service),
            "EVENT_KEYS_FILE": self.event_keys_file(country),
            "HTTP_PORT": self.ports[self.name(service, country)],
            "SPANS_DIR": self.spans_dir,
        }
        own: dict[str, dict[str, object]] = {
            "registry": {
                "TOKEN_KEY_FILE": self.secrets.registry_signing_key,
                "SECOND_FACTOR_KEY_FILE": self.secrets.second_factor_key,
                "ADMINISTRATOR_PASSWORD_FILE": self.secrets.administrator_password,
                "MAIL_DIR": self.mail_dir,
                **({"PORTAL_ADDRESS": self.portal_address} if self.portal_address else {}),
            },
            "certificates": {
                "DOCUMENT_KEYS_DIR": self.secrets.document_keys,
                "DOCUMENT_KEYS_PASSWORD_FILE": self.secrets.document_password,
                **({"PUBLIC_ADDRESS": self.public_address} if self.public_address else {}),
            },
            "tracking": {"PORTAL_ADDRESS": self.portal_address.removesuffix("/portal")},
            "portal": {"PUBLIC_ADDRESS": self.public_address, "SECURE_COOKIES": False},
            "gateway": {
                "PARTNERS_FILE": self.partners_file(country),
                "PRIVATE_PARTNERS": True,
                "SIGNING_CERTIFICATE_FILE": self.secrets.signing_certificate(country),
                "SIGNING_KEY_FILE": self.secrets.signing_key(country),
                "EXCHANGE_CA_FILE": self.secrets.ca_certificate,
                "CUSTOMS_URL": f"http://127.0.0.1:{self.ports['customs']}/{country}/documents",
                "TLS_CERTIFICATE_FILE": self.secrets.tls_certificate(gateway_host(country)),
                "TLS_KEY_FILE": self.secrets.tls_key(gateway_host(country)),
            },
        }
        return {f"CO_{key}": str(value) for key, value in (general | own.get(service, {})).items()}


def gateway_host(country: str) -> str:
    """The name in the TLS certificate of a country's gateway."""
    return f"gateway-{country.lower()}"


def nats_server() -> Path:
    """The path of nats-server: `CO_NATS_SERVER`, or the program beside this Python."""
    return Path(os.environ.get("CO_NATS_SERVER") or Path(sys.executable).with_name("nats-server"))


def fixed_ports(names: Iterable[str]) -> dict[str, int]:
    """The same ports in every run: 8080 for the public site, 8090 for the portal, 4222 for the bus, 82xx for the others."""
    known = {"tracking": PUBLIC_PAGE, "portal": PORTAL, "nats": NATS, "nats-monitor": NATS_MONITOR, "customs": CUSTOMS}
    others = [name for name in names if name not in known]
    return known | {name: FIRST_OTHER + number for number, name in enumerate(others)}


def free_ports(names: Iterable[str]) -> dict[str, int]:
    """A free port for each name, below the range of outgoing connections."""
    candidates = iter(SystemRandom().sample(range(20_000, 32_000), 1000))
    return {name: next(port for port in candidates if is_free(port)) for name in names}


def is_free(port: int) -> bool:
    """Whether a process can listen on this port of 127.0.0.1."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
