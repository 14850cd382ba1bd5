"""The numbers of certificates."""

import re

NUMBER = re.compile(r"(?P<form>[A-Z]{1,8})(?P<year>[0-9]{4})-(?P<office>[A-Z]{2,5})-(?P<serial>[0-9]{6,9})")


def reference_of(form: str, year: int, office: str, serial: int) -> str:
    """The number of a certificate, such as `D2026-PNH-000123`, by office, form and year (OCP Rule 7(3); template ours)."""
    return f"{form}{year}-{office}-{serial:06}"


def number_of(reference: str) -> tuple[str, int, str, int]:
    """The form, year, office and serial number in a reference. Raises ValueError."""
    parts = NUMBER.fullmatch(reference)
    if parts is None:
        raise ValueError(f"{reference} is not the number of a certificate")
    return parts["form"], int(parts["year"]), parts["office"], int(parts["serial"])
