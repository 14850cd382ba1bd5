"""Signed notices: compact JWS (ES256) with the key that signs messages. Anybody can verify them with the public key."""

import json
from base64 import b64encode
from collections.abc import Mapping

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey

from services.gateway.wire.signature import Signer
from shared.contracts.gateway.outages import NOTICE_TYPE

ALGORITHM = "ES256"


def sign_notice(signer: Signer, facts: Mapping[str, str]) -> str:
    """The token of a notice with these facts."""
    pem = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = ECKey.import_key(pem)
    header = {"alg": ALGORITHM, "typ": NOTICE_TYPE, "kid": key.thumbprint()}
    return jws.serialize_compact(header, json.dumps(facts, separators=(",", ":")), key, algorithms=[ALGORITHM])


def public_key_of(signer: Signer) -> str:
    """The public key of this gateway: SubjectPublicKeyInfo (DER) in base64."""
    return b64encode(signer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
