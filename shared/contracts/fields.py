"""The types of the fields of contracts. Each is bounded."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

MAX_CHUNK = 512 * 1024
"""Maximum bytes of a chunk of a file: NATS accepts messages of 1 MiB, and base64 adds a third."""

MAX_FILE = 2**31 - 1
"""Maximum bytes of any file. Each kind of file has a lower limit."""

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
OptionalLine = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_printable)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_printable)]
Secret = Annotated[str, StringConstraints(min_length=12, max_length=200)]
Email = Annotated[
    str,
    StringConstraints(pattern=r"^[^@\s<>(),;:\"\[\]\\]{1,64}@[^@\s<>(),;:\"\[\]\\]{1,190}$", to_lower=True, max_length=254),
]
"""One e-mail address (RFC 5322, 3.2.3), without characters that could add another header or address; no quoted names."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Language = Literal["en", "km"]
"""English or Khmer (ISO 639-1)."""
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Office = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,5}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
HsCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,11}$")]
Unit = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,3}$")]
FormName = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,8}$")]
"""The name of a form of certificates, such as D."""
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,12}-[A-Z]{2,5}-[0-9]{6,9}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

Riel = Annotated[int, Field(ge=0, le=10**12)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]
Quantity = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)]
Instant = Annotated[AwareDatetime, AfterValidator(_instant)]
"""An instant in UTC. Instants outside these years are mistakes, and some time zones cannot express them."""
RowId = Annotated[int, Field(ge=0, le=2**63 - 1)]
AnyNumber = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""The id of a row that may have been forged, so it may be negative."""
Key = Annotated[str, StringConstraints(max_length=120)]
Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
"""Where the next page of a list begins, as the answer with the previous page gave it in `next`."""

Chunk = Annotated[bytes, Field(max_length=MAX_CHUNK)]
