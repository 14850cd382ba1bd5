"""The files that `docker-compose.yml` hands to its containers: secrets, whom gateways exchange with, and the bus."""

import json
from pathlib import Path

from deploy.nats.permissions import OPERATOR, USERS
from deploy.nats.server_conf import Account, Tls, write_server_conf
from deploy.secrets import Secrets
from shared.contracts.catalogue import SERVICES

DATABASES = tuple(f"{name}-db" for name in (*SERVICES, "gateway-abroad"))
HOSTS = ("nats", "gateway", "gateway-abroad", "proxy", *DATABASES)
"""The containers that show a certificate."""
ROLES = ("owner", "migrator", "service")
"""Who enters a database: who made it, who may change its schema, and who may only change what is in it."""

_IN_CONTAINER = Path("/run/secrets")


class ComposeFiles:
    """Where the files are, for a country and the partner it exchanges with."""

    def __init__(self, folder: Path, country: str, partner: str) -> None:
        self.folder = folder
        self.secrets = Secrets(folder / "secrets", for_containers=True)
        self._partners = {
            "gateway": _partner(partner, "gateway-abroad:8000"),
            "gateway-abroad": _partner(country, "proxy:8443"),
        }
        self._users = {country: USERS, partner: ("gateway", OPERATOR)}

    def make(self) -> list[Path]:
        """Makes the secrets that are missing, and the other files anew; returns the secrets made."""
        made = self.secrets.make(self._users, HOSTS, dict.fromkeys(DATABASES, ROLES))
        accounts = tuple(
            Account(country, {user: self.secrets.public_key(country, user) for user in users})
            for country, users in self._users.items()
        )
        write_server_conf(
            self.folder / "nats" / "nats.conf",
            accounts,
            store_dir=Path("/data"),
            listen="0.0.0.0:4222",
            monitor="127.0.0.1:8222",
            tls=Tls(_IN_CONTAINER / "tls.crt", _IN_CONTAINER / "tls.key"),
        )
        for gateway, partners in self._partners.items():
            file = self.folder / "partners" / f"{gateway}.json"
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(partners, indent=2))
        return made


def _partner(country: str, host: str) -> dict[str, object]:
    """What stands in the partner directory of a gateway."""
    certificate = str(_IN_CONTAINER / "partner.crt")
    return {country: {"address": f"https://{host}/asw/messages", "certificate_file": certificate, "trust_trace": True}}
