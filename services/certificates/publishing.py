"""What everybody may read about the keys of the offices, below `/.well-known/`: a DID document, and PEM."""

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import ECKey
from opentelemetry.trace import INVALID_SPAN
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.certificates.documents.credentials import secured_by, status_claims
from services.certificates.documents.data_integrity import method_of, multikey
from services.certificates.documents.keys import Sealing
from services.certificates.reference_data import ReferenceData
from services.certificates.store.sealed import PublicKey, all_keys, revoked
from shared.handling.work import ServiceContext
from shared.refusals import Unavailable

NAME = re.compile(r"(?P<form>[A-Z]{1,4})(?P<year>[0-9]{4})-(?P<office>[A-Z]{2,5})")
FIRST_YEAR = 2020
KEPT = timedelta(minutes=1)
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


async def show_status(request: Request) -> Response:
    """The status of the credentials of a form, year and office, signed by the office. It is at most a minute old."""
    context = _context(request)
    sealing, name = context.use(Sealing), request.path_params["name"]
    parts = NAME.fullmatch(name)
    today = context.clock.today()
    forms = {form.name for form in context.use(ReferenceData).forms}
    if not parts or parts["form"] not in forms or not FIRST_YEAR <= int(parts["year"]) <= today.year:
        return Response("unknown", 404, HEADERS, media_type="text/plain")
    try:
        key = sealing.keys.of(parts["office"], today)
    except Unavailable:
        return Response("unknown", 404, HEADERS, media_type="text/plain")
    kept = context.use(StatusLists).kept
    until, text = kept.get(name, (context.clock.now(), ""))
    if until <= context.clock.now():
        async with context.reading(INVALID_SPAN) as work:
            serials = await revoked(work, name)
        address = f"{sealing.status_lists}/{name}"
        claims = status_claims(address, sealing.issuer, serials, context.clock.now())
        files = key.keystore, sealing.keys.password_file, f"{sealing.issuer}#{key.key_id}"
        text = await asyncio.get_running_loop().run_in_executor(context.processes, secured_by, claims, *files)
        kept[name] = context.clock.now() + KEPT, text
    headers = HEADERS | {"cache-control": f"public, max-age={KEPT.seconds}"}
    return Response(text, headers=headers, media_type="application/vc+jwt")


class StatusLists:
    """The status lists of this replica, each until an instant."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[datetime, str]] = {}


def did_document(issuer: str, keys: Sequence[PublicKey]) -> dict[str, Any]:
    """The DID document (W3C DID Core). Each key stands there as a JWK, for JWTs, and as a Multikey, for embedded proofs."""
    jwk = [
        {
            "id": f"{issuer}#{key.key_id}",
            "type": "JsonWebKey",
            "controller": issuer,
            "publicKeyJwk": ECKey.import_key(key.certificate).as_dict(private=False) | {"kid": key.key_id},
        }
        for key in keys
    ]
    multikeys = [
        {
            "id": method_of(issuer, key.key_id),
            "type": "Multikey",
            "controller": issuer,
            "publicKeyMultibase": multikey(key.certificate),
        }
        for key in keys
    ]
    certify = [key.key_id for key in keys if key.withdrawn_since is None]
    return {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/jwk/v1",
            "https://w3id.org/security/multikey/v1",
        ],
        "id": issuer,
        "verificationMethod": [*jwk, *multikeys],
        "assertionMethod": [
            *(f"{issuer}#{key_id}" for key_id in certify),
            *(method_of(issuer, key_id) for key_id in certify),
        ],
    }


def _context(request: Request) -> ServiceContext:
    context: ServiceContext = request.app.state.context
    return context


async def _keys(request: Request) -> Sequence[PublicKey]:
    async with _context(request).reading(INVALID_SPAN) as work:
        return await all_keys(work)


routes: Sequence[BaseRoute] = (
    Route("/.well-known/did.json", show_did),
    Route("/.well-known/status/{name}", show_status),
    Route("/.well-known/co-document-keys.pem", show_certificates),
)
