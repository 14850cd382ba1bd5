"""The partner directory: a row for each partner gateway, with its address, pinned certificates and versions.

A wrong row is refused with the reason, and its documents wait; the other partners are not affected.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.gateway.domain import E_FORM_D
from services.gateway.members import Member, load_document_kinds, load_members, name_of
from shared.contracts.fields import Country, Email, Line, Slug
from shared.refusals import Unavailable
from shared.xml.layout import VERSIONS

MAX_CERTIFICATES = 3
"""Maximum certificates of one kind: the present one, the next one, and one in reserve."""


class PartnerNotConfigured(Unavailable):
    """The directory has no usable row for this country yet."""


class Contact(BaseModel):
    """Who is called when a partner does not answer."""

    model_config = ConfigDict(extra="forbid")
    name: Line
    email: Email | None = None
    telephone: Line | None = None


class SpokenVersion(BaseModel):
    """A version of the profile that a partner accepts, and on which days."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    version: int
    since: Annotated[date | None, Field(alias="from")] = None
    until: date | None = None

    def is_spoken_on(self, day: date) -> bool:
        """Whether the partner accepts it on this day."""
        return (self.since or date.min) <= day <= (self.until or date.max)


class ExchangedDocuments(BaseModel):
    """A kind of document that a partner exchanges besides the e-Form D, and on which days."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    code: Slug
    since: Annotated[date | None, Field(alias="from")] = None
    until: date | None = None

    def are_exchanged_on(self, day: date) -> bool:
        """Whether the partner exchanges them on this day."""
        return (self.since or date.min) <= day <= (self.until or date.max)


Files = Annotated[tuple[Path, ...], Field(min_length=1, max_length=MAX_CERTIFICATES)]


class PartnerRow(BaseModel):
    """A row of the directory file. Paths of certificates are relative to the file."""

    model_config = ConfigDict(extra="forbid")
    country: Country
    address: Annotated[str, StringConstraints(max_length=300)]
    signing_certificates: Files
    tls_certificates: Files
    versions: Annotated[tuple[SpokenVersion, ...], Field(min_length=1)] = (SpokenVersion(version=VERSIONS[-1]),)
    documents: Annotated[tuple[ExchangedDocuments, ...], Field(max_length=20)] = ()
    opens_on: date | None = None
    contact: Contact | None = None
    trust_trace: bool = False


@dataclass(frozen=True)
class Partner:
    """The gateway of another member. Each list of certificates is pinned: no other certificate is trusted.

    `documents`: the kinds of documents besides the e-Form D. `trust_trace`: whether its traces are continued here.
    """

    country: str
    address: str
    signing_certificates: tuple[x509.Certificate, ...]
    tls_certificates: tuple[x509.Certificate, ...]
    versions: tuple[SpokenVersion, ...] = (SpokenVersion(version=VERSIONS[-1]),)
    documents: tuple[ExchangedDocuments, ...] = ()
    opens_on: date | None = None
    contact: Contact | None = None
    trust_trace: bool = False

    @property
    def certificates_until(self) -> datetime:
        """When the first of its certificates expires."""
        return min(each.not_valid_after_utc for each in (*self.signing_certificates, *self.tls_certificates))

    def takes(self, kind: str, day: date) -> bool:
        """Whether it exchanges documents of this kind on this day. Every partner exchanges e-Forms D."""
        return kind == E_FORM_D or any(each.code == kind and each.are_exchanged_on(day) for each in self.documents)

    def version_on(self, day: date) -> int | None:
        """The newest version that it accepts on this day; None if there is none."""
        return max((each.version for each in self.versions if each.is_spoken_on(day)), default=None)


@dataclass(frozen=True)
class RefusedRow:
    """A row that is not used: its country, or its position in the file, and the reason."""

    country: str
    reason: str


@dataclass(frozen=True)
class Partners:
    """The usable rows and the refused ones. A document for a member without a usable row waits."""

    rows: Mapping[str, Partner]
    refused: tuple[RefusedRow, ...] = ()
    members: Mapping[str, Member] = field(default_factory=load_members)

    @classmethod
    def read(cls, file: Path, country: str, now: datetime, *, private_addresses: bool = False) -> Self:
        """Reads the directory file of a country's gateway. Raises OSError, and ValueError if it is no list of rows."""
        content = json.loads(file.read_bytes())
        if not isinstance(content, dict) or not isinstance(content.get("partners"), list):
            raise ValueError(f'{file}: a partner directory is {{"partners": [row, ...]}}')
        members, rows, refused = load_members(), dict[str, Partner](), list[RefusedRow]()
        times = Counter(row.get("country") for row in content["partners"] if isinstance(row, dict))
        for position, row in enumerate(content["partners"], start=1):
            name = str(row.get("country", position)) if isinstance(row, dict) else str(position)
            try:
                if times[name] > 1:
                    raise ValueError(f"there are {times[name]} rows for this country")
                partner = _partner_of(row, file.parent, country, members, now, private_addresses)
                rows[partner.country] = partner
            except ValueError as error:
                refused.append(RefusedRow(name, _sentence(error)))
        return cls(rows, tuple(refused), members)

    @cached_property
    def pins(self) -> Mapping[bytes, Sequence[tuple[Partner, x509.Certificate]]]:
        """By TLS certificate (DER): the partners that have it. Each message asks for it, so it is computed once."""
        found: dict[bytes, list[tuple[Partner, x509.Certificate]]] = {}
        for partner in self.rows.values():
            for each in partner.tls_certificates:
                found.setdefault(each.public_bytes(Encoding.DER), []).append((partner, each))
        return found

    def find(self, country: str) -> Partner | None:
        """The partner gateway of a country, or None."""
        return self.rows.get(country)

    def by_country(self, country: str, day: date) -> Partner:
        """The partner gateway of a country. Raises PartnerNotConfigured: it may be configured or open later."""
        partner, name = self.find(country), self.name_of(country)
        if partner is None:
            refused = self.problem_of(country)
            why = f"the row of {name} is refused: {refused}" if refused else f"no partner gateway is configured for {name}"
            raise PartnerNotConfigured(why)
        opens = self.opening_of(partner)
        if opens is None or opens > day:
            raise PartnerNotConfigured(f"the exchange with {name} opens {f'on {opens}' if opens else 'later'}")
        return partner

    def opening_of(self, partner: Partner) -> date | None:
        """The first day of the exchange with a partner; None if it is not known yet."""
        member = self.members.get(partner.country)
        return partner.opens_on or (member.exchanging_since if member else None)

    def problem_of(self, country: str) -> str | None:
        """Why the row of a country is refused; None if it is not."""
        return next((each.reason for each in self.refused if each.country == country), None)

    def name_of(self, country: str) -> str:
        """The name of a country with its code, as in `Viet Nam (VN)`."""
        return name_of(self.members, country)


def _partner_of(
    content: Any, folder: Path, own: str, members: Mapping[str, Member], now: datetime, private_addresses: bool
) -> Partner:
    row = PartnerRow.model_validate(content)
    if row.country == own:
        raise ValueError("this is the country of this gateway")
    if row.country not in members:
        raise ValueError("this country is not a member")
    _must_be_an_address(row.address, private_addresses)
    unknown = [str(each.version) for each in row.versions if each.version not in VERSIONS]
    if unknown:
        raise ValueError(f"nobody speaks version {', '.join(unknown)}; this gateway speaks {', '.join(map(str, VERSIONS))}")
    if kinds := [each.code for each in row.documents if each.code not in load_document_kinds()]:
        raise ValueError(f"there is no kind of document {', '.join(kinds)}")
    return Partner(
        country=row.country,
        address=row.address,
        signing_certificates=_certificates([folder / each for each in row.signing_certificates], now, sign=True),
        tls_certificates=_certificates([folder / each for each in row.tls_certificates], now),
        versions=row.versions,
        documents=row.documents,
        opens_on=row.opens_on,
        contact=row.contact,
        trust_trace=row.trust_trace,
    )


def _must_be_an_address(address: str, private_addresses: bool) -> None:
    """Raises ValueError unless this is an https address of another machine, without credentials or a query."""
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("the address must begin with https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the address must have no user, query or fragment")
    if private_addresses:
        return
    try:
        is_public = ip_address(parts.hostname).is_global
    except ValueError:
        is_public = "." in parts.hostname and not parts.hostname.endswith((".localhost", ".local", ".internal"))
    if not is_public:
        raise ValueError(f"the address {parts.hostname} is private")


def _certificates(files: Iterable[Path], now: datetime, *, sign: bool = False) -> tuple[x509.Certificate, ...]:
    """The certificates that have not expired. A certificate may become valid later. Raises ValueError if all have expired."""
    found = {file.name: _certificate(file, sign) for file in files}
    usable = tuple(each for each in found.values() if each.not_valid_after_utc >= now)
    if not usable:
        ended = ", ".join(f"{name} expired on {each.not_valid_after_utc:%Y-%m-%d}" for name, each in found.items())
        raise ValueError(f"the certificate {ended}")
    return usable


def _certificate(file: Path, signs: bool) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        raise ValueError(f"the certificate {file.name} cannot be read") from None
    key = certificate.public_key()
    if signs and not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)):
        raise ValueError(f"the key of the certificate {file.name} is not on the curve P-256")
    return certificate


def _sentence(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:5])
