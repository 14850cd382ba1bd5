"""The verifiable credential of a certificate: W3C Verifiable Credentials 2.0, secured as a JWT (VC-JOSE-COSE, ES256)."""

import json
from datetime import UTC, datetime, time
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey

from services.certificates.documents.orders import SealOrder
from shared.contracts.certificates.documents import FormD

CONTEXT = "https://www.w3.org/ns/credentials/v2"
TYPE = "CertificateOfOriginCredential"


def claims_of(form: FormD, order: SealOrder) -> dict[str, Any]:
    """The credential: who issued the certificate, from when to when it is valid, and every box of it."""
    return {
        "@context": [CONTEXT],
        "type": ["VerifiableCredential", TYPE],
        "id": order.credential_id,
        "issuer": order.issuer,
        "validFrom": datetime.combine(form.issued_on, time(), UTC).isoformat().replace("+00:00", "Z"),
        "validUntil": datetime.combine(form.valid_until, time(23, 59, 59), UTC).isoformat().replace("+00:00", "Z"),
        "credentialSubject": {"type": "FormD", **form.model_dump(mode="json", exclude_none=True)},
    }


def credential_of(form: FormD, order: SealOrder, key: ECKey) -> str:
    """The credential as a compact JWT of the media type `application/vc+jwt`."""
    header = {"alg": "ES256", "kid": f"{order.issuer}#{order.key_id}", "typ": "vc+jwt", "cty": "vc"}
    content = json.dumps(claims_of(form, order), separators=(",", ":"), ensure_ascii=False)
    return jws.serialize_compact(header, content, key, algorithms=["ES256"])
