"""The partner directory: the address and the pinned certificate of each partner gateway."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from cryptography import x509
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter

from shared.contracts.fields import Country
from shared.refusals import Unavailable

MEMBERS_FILE = Path(__file__).parents[1] / "data" / "members.json"


class PartnerNotConfigured(Unavailable):
    """The directory has no gateway of this country yet."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    address: Annotated[str, StringConstraints(pattern=r"^https://")]
    certificate_file: Path
    trust_trace: bool = False


@dataclass(frozen=True)
class Partner:
    """The gateway of another member. `trust_trace`: whether its traces are continued here."""

    country: str
    address: str
    certificate: x509.Certificate
    trust_trace: bool = False


class Partners:
    """The configured partners. A document for a member that is not configured waits."""

    def __init__(self, partners: Mapping[str, Partner]) -> None:
        self._partners = partners
        self._names = {member["code"]: member["name"]["en"] for member in json.loads(MEMBERS_FILE.read_text())["members"]}

    @classmethod
    def read(cls, file: Path) -> Self:
        """Reads the directory file. Paths of certificates are relative to it. Raises OSError or ValueError."""
        rows = TypeAdapter(dict[Country, _Row]).validate_json(file.read_bytes())
        return cls(
            {
                country: Partner(
                    country,
                    row.address,
                    x509.load_pem_x509_certificate((file.parent / row.certificate_file).read_bytes()),
                    row.trust_trace,
                )
                for country, row in rows.items()
            }
        )

    def find(self, country: str) -> Partner | None:
        """The partner gateway of a country, or None."""
        return self._partners.get(country)

    def by_country(self, country: str) -> Partner:
        """The partner gateway of a country. Raises PartnerNotConfigured: it may be configured later."""
        partner = self.find(country)
        if partner is None:
            raise PartnerNotConfigured(f"no partner gateway is configured for {self.name_of(country)}")
        return partner

    def name_of(self, country: str) -> str:
        """The name of a country with its code, as in `Viet Nam (VN)`."""
        return f"{self._names[country]} ({country})" if country in self._names else country
