"""What everybody may read about the keys of the offices, below `/.well-known/`: a DID document, and PEM."""

import json
from collections.abc import Sequence
from typing import Any

from joserfc.jwk import ECKey
from opentelemetry.trace import INVALID_SPAN
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.certificates.documents.keys import Sealing
from services.certificates.store.sealed import PublicKey, all_keys
from shared.handling.work import ServiceContext

HEADERS = {"cache-control": "public, max-age=300", "x-content-type-options": "nosniff", "access-control-allow-origin": "*"}


async def show_did(request: Request) -> Response:
    """The DID document of the issuer (did:web): every key that ever sealed. A withdrawn key certifies nothing."""
    issuer = _context(request).use(Sealing).issuer
    keys = await _keys(request)
    return Response(json.dumps(did_document(issuer, keys)), headers=HEADERS, media_type="application/did+json")


async def show_certificates(request: Request) -> Response:
    """The certificates of all keys, to check seals and summaries offline."""
    text = "".join(f"# {key.key_id}\n{key.certificate}" for key in await _keys(request))
    return Response(text, headers=HEADERS, media_type="application/x-pem-file")


def did_document(issuer: str, keys: Sequence[PublicKey]) -> dict[str, Any]:
    """The DID document (W3C DID Core) with the keys as JWK."""
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"],
        "id": issuer,
        "verificationMethod": [
            {
                "id": f"{issuer}#{key.key_id}",
                "type": "JsonWebKey",
                "controller": issuer,
                "publicKeyJwk": ECKey.import_key(key.certificate).as_dict(private=False) | {"kid": key.key_id},
            }
            for key in keys
        ],
        "assertionMethod": [f"{issuer}#{key.key_id}" for key in keys if key.withdrawn_since is None],
    }


def _context(request: Request) -> ServiceContext:
    context: ServiceContext = request.app.state.context
    return context


async def _keys(request: Request) -> Sequence[PublicKey]:
    async with _context(request).reading(INVALID_SPAN) as work:
        return await all_keys(work)


routes: Sequence[BaseRoute] = (
    Route("/.well-known/did.json", show_did),
    Route("/.well-known/co-document-keys.pem", show_certificates),
)
