"""What the process pool receives to make a page, and what it returns. These classes need no library of pages or seals."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class PageOrder:
    """A page to print. `document`: a FormD as JSON. `page`: the texts of the form.

    `country_names`: names in English by code; `office_name`: as printed in box 12. `watermark`, `mark`: text across the page
    and in its first line; empty on a normal certificate. `endorsement`: the first lines of box 12 of a certified true copy.
    """

    document: str
    page: Mapping[str, Any]
    country_names: dict[str, str]
    office_name: str
    check_at: str
    watermark: str = ""
    mark: str = ""
    endorsement: str = ""

    def certified_as(self, mark: str, original: date, on: date) -> "PageOrder":
        """The page of a certified true copy: with the date of the original, and that of the certification (Rule 12)."""
        endorsement = f"{mark}\nDate of the original: {written(original)}\nCertified on {written(on)}"
        return replace(self, mark=mark, endorsement=endorsement)


@dataclass(frozen=True, kw_only=True)
class SealOrder:
    """How to seal a page. `keystore`: the PKCS#12 file of the office. `code`: the verification code to print.

    `time_stamp_url`: the server for time stamps (RFC 3161); empty: none. `credential_id`, `issuer`: of the credential.
    `sealed_at`: the time in its proof.
    `status_lists`: the address below which the status of credentials stands.
    """

    keystore: Path
    password_file: Path
    key_id: str
    code: str
    issuer: str
    credential_id: str
    status_lists: str
    sealed_at: datetime
    time_stamp_url: str = ""


@dataclass(frozen=True, kw_only=True)
class SealedPage:
    """A sealed PDF with its SHA-256, the summary in its QR code, the same under the verification code, and the credential.

    `proof`: the Data Integrity proof of the credential, as JSON.
    """

    pdf: bytes
    sha256: str
    summary: str
    locked_summary: str
    credential: str
    proof: str


def written(day: date) -> str:
    """A date as the form has it, such as `2 March 2026`: digits alone are read in two ways."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
