"""The bounded types that the fields of contracts are made of."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

MAX_CHUNK = 512 * 1024
"""Bytes of a file that travel in one message; NATS carries 1 MiB and base64 adds a third."""

MAX_FILE = 2**31 - 1
"""Bytes that any file may have; each kind has a lower limit of its own."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _printable(text: str) -> str:
    if any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in text):
        raise ValueError("must not contain control characters")
    return text


def _instant(value: datetime) -> datetime:
    if not EARLIEST <= value < LATEST:
        raise ValueError(f"must lie between the years {EARLIEST.year} and {LATEST.year - 1}")
    return value.astimezone(UTC)


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_printable)]
Secret = Annotated[str, StringConstraints(min_length=12, max_length=200)]
Email = Annotated[
    str,
    StringConstraints(pattern=r"^[^@\s<>(),;:\"\[\]\\]{1,64}@[^@\s<>(),;:\"\[\]\\]{1,190}$", to_lower=True, max_length=254),
]
"""One address and nothing that a letter's head could take for more (RFC 5322, 3.2.3); quoted names are not served."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Office = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,5}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
HsCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,11}$")]
Unit = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,3}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,8}-[A-Z]{2,5}-[0-9]{6,9}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

Riel = Annotated[int, Field(ge=0, le=10**12)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]
Quantity = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)]
Instant = Annotated[AwareDatetime, AfterValidator(_instant)]
"""An instant in UTC. What lies outside these years is no date of ours, and some zones cannot express it."""
RowId = Annotated[int, Field(ge=0, le=2**63 - 1)]
AnyNumber = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""Of a row that may have been put there by anybody."""
Key = Annotated[str, StringConstraints(max_length=120)]

Chunk = Annotated[bytes, Field(max_length=MAX_CHUNK)]
