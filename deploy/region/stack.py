"""The region on one machine: the gateway of every member, each a process with its own keys, database and NATS account.

Every gateway has every other one as a partner. Between them stands a network whose faults a behaviour file describes.
"""

import json
import resource
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from deploy.embedded.layout import ANNOUNCERS_ABROAD, Ports, fixed_ports, gateway_host
from deploy.embedded.processes import Program
from deploy.embedded.stack import Stack
from deploy.region.behaviour import Behaviour, read_behaviour
from services.gateway.members import load_members

NETWORK, MATRIX = "network", "matrix"


def exchanging_members(day: date) -> tuple[str, ...]:
    """The members that exchange documents on a day."""
    return tuple(code for code, member in load_members().items() if member.exchanges_on(day))


class Region(Stack):
    """The gateways of some members. `behaviour`: the file with the faults of each country; None for none."""

    def __init__(
        self,
        root: Path,
        *,
        members: Sequence[str],
        behaviour: Path | None = None,
        ports: Ports = fixed_ports,
        **options: Any,
    ) -> None:
        self._behaviour_file = behaviour.resolve() if behaviour else None
        self.behaviour: dict[str, Behaviour] = read_behaviour(behaviour, members)
        fronts = [NETWORK, MATRIX, *map(front_of, members)]

        def choose(names: Iterable[str]) -> dict[str, int]:
            return ports([*names, *fronts])

        first, *others = members
        super().__init__(root, country=first, partners=tuple(others), services=("gateway",), ports=choose, **options)

    def name(self, service: str, country: str | None = None) -> str:
        """The name of a process, with its country."""
        return f"{service}-{(country or self.country).lower()}"

    def announcers_of(self, country: str) -> tuple[str, ...]:
        """The users of a country's account whose events are genuine."""
        return ANNOUNCERS_ABROAD

    def partners_of(self, country: str) -> dict[str, list[dict[str, object]]]:
        """The content of a partners file: every other country, at its side of the network."""
        own = self.behaviour[country].version
        return {"partners": [self._row(other, own) for other in self.countries if other != country]}

    def _row(self, country: str, version: int) -> dict[str, object]:
        return {
            "country": country,
            "address": f"https://127.0.0.1:{self.ports[front_of(country)]}/asw/messages",
            "signing_certificates": [str(self.secrets.signing_certificate(country))],
            "tls_certificates": [str(self.secrets.tls_certificate(gateway_host(country)))],
            "versions": [{"version": min(version, self.behaviour[country].version)}],
            "documents": [{"code": "acdd"}],
            "trust_trace": True,
        }

    def environment(self, service: str, country: str) -> dict[str, str]:
        """The settings of one gateway. It believes the network, which passes the client's certificate."""
        return super().environment(service, country) | {"FORWARDED_ALLOW_IPS": "127.0.0.1"}

    def command(self, service: str, country: str) -> tuple[str, ...]:
        """The command that runs a gateway, with a wrong clock if the behaviour file says so."""
        ahead = self.behaviour[country].clock
        run = (sys.executable, "-m", "deploy.region.wrong_clock", str(ahead), f"services.{service}")
        return run if ahead else super().command(service, country)

    def surroundings(self) -> list[Program]:
        """The customs systems and the network."""
        file = self.root / "network.json"
        file.write_text(json.dumps(self._network(), indent=2))
        module = ("deploy.region.network", "--configuration", str(file))
        address = f"http://127.0.0.1:{self.ports[NETWORK]}/"
        network = self.program(NETWORK, (sys.executable, "-m", *module), address, any_answer=True)
        return [*super().surroundings(), network]

    def _network(self) -> dict[str, object]:
        return {
            "port": self.ports[NETWORK],
            "behaviour": str(self._behaviour_file) if self._behaviour_file else None,
            "countries": {
                country: {
                    "port": self.ports[front_of(country)],
                    "gateway": f"{self.address('gateway', country)}/asw/messages",
                    "certificate": str(self.secrets.tls_certificate(gateway_host(country))),
                    "key": str(self.secrets.tls_key(gateway_host(country))),
                }
                for country in self.countries
            },
        }

    @property
    def database_files(self) -> dict[str, Path]:
        """The database of the gateway of each country."""
        return {country: self.root / "data" / f"{self.name('gateway', country)}.db" for country in self.countries}

    def memory(self) -> dict[str, float]:
        """The memory of each process with its children, in MB."""
        return {name: resident_megabytes(process.pid) for name, process in self.processes.items() if process.pid}


def resident_megabytes(pid: int) -> float:
    """The resident memory of a process and its children, in MB."""
    of = Path(f"/proc/{pid}")
    pages = int((of / "statm").read_text().split()[1])
    children = (of / "task" / str(pid) / "children").read_text().split()
    return pages * resource.getpagesize() / 1e6 + sum(resident_megabytes(int(child)) for child in children)


def front_of(country: str) -> str:
    """The name of the port at which the network takes messages for a country."""
    return f"{NETWORK}-{country.lower()}"
