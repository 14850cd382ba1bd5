"""Opens a summary that is stored under a verification code, and checks its signature. Nothing else reads it."""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from shared.contracts.certificates.sealing import key_of_code

MAX_SUMMARY = 2000
"""Characters of a summary from outside. Ours have fewer than 900."""


@dataclass(frozen=True)
class Summary:
    """What the QR code of a certificate says (the short names stand in certificates' README)."""

    reference: str
    origin: str
    destination: str
    issued_on: str
    valid_until: str
    exporter: str
    consignee: str
    items: int
    digest: str


class SummaryForged(Exception):
    """The text is no summary of this ministry, or it was changed."""


def opened(stored: str, code: str, reference: str) -> str:
    """The signed summary. Raises cryptography's InvalidTag for another code."""
    content = urlsafe_b64decode(stored)
    return AESGCM(key_of_code(code, reference)).decrypt(content[:12], content[12:], reference.encode()).decode()


def key_id_of(summary: str) -> str:
    """The id of the key that a summary names. Raises SummaryForged."""
    try:
        header = json.loads(_decoded(summary.split(".")[0]))
        return str(header["kid"])
    except (ValueError, KeyError, TypeError):
        raise SummaryForged from None


def verified(summary: str, certificate: str) -> Summary:
    """The facts of a summary that the key of this certificate (PEM) has signed. Raises SummaryForged."""
    try:
        key = ECKey.import_key(certificate)
        facts = json.loads(jws.deserialize_compact(summary, key, algorithms=["ES256"]).payload)
        return Summary(
            reference=str(facts["r"]),
            origin=str(facts["f"]),
            destination=str(facts["t"]),
            issued_on=str(facts["i"]),
            valid_until=str(facts["u"]),
            exporter=str(facts["x"]),
            consignee=str(facts["c"]),
            items=int(facts["n"]),
            digest=str(facts["h"]),
        )
    except (JoseError, ValueError, KeyError, TypeError):
        raise SummaryForged from None


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
