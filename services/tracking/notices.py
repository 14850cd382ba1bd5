"""The check of notices of an outage: by their signature, or by number and certificate."""

import json
from base64 import b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from opentelemetry.trace import INVALID_SPAN
from starlette.requests import Request
from starlette.responses import Response

from services.tracking.answers import NoticeFacts, NoticeShown, Problem, PublicKey
from services.tracking.exchange import find_notice, find_outage
from services.tracking.outage_tables import TrackedNotice
from services.tracking.references import ReferenceMalformed, read_reference
from services.tracking.replies import data_of, page, reply
from services.tracking.store import steps_of
from services.tracking.visitors import wants_json
from shared.contracts.gateway.outages import MAX_TOKEN, NOTICE_TYPE
from shared.contracts.gateway.transmissions import StatusCode
from shared.handling.work import ServiceContext, Work
from shared.refusals import Refused

ALGORITHM = "ES256"
MAX_NUMBER = 40
"""Maximum characters of a typed number."""
ALTERED = NoticeShown(verdict="altered", signed=True, facts=None)


class NoticeNotFound(Refused):
    code = "notice_not_found"


async def show_notice(request: Request) -> Response:
    """Checks a notice. Without its signature the number and the certificate must be known: no certificate is given away."""
    token, number, reference = (request.query_params.get(name, "").strip() for name in ("token", "number", "reference"))
    if not (token or number or reference) and not wants_json(request):
        return page(request, "notice.html", 300, shown=None, problem=None, **_typed(number, reference))
    context: ServiceContext = request.app.state.context
    try:
        async with context.reading(INVALID_SPAN) as work:
            shown = await (checked(token, work, request) if token else found(number, reference, work, request))
    except NoticeNotFound as no:
        problem = Problem(code=no.code, detail=no.detail)
        return reply(request, problem, "notice.html", 0, 404, shown=None, problem=problem, **_typed(number, reference))
    return reply(request, shown, "notice.html", 5, shown=shown, problem=None, **_typed(number, reference))


def _typed(number: str, reference: str) -> dict[str, Any]:
    return {"number": number[:MAX_NUMBER], "typed": reference[:MAX_NUMBER]}


async def checked(token: str, work: Work, request: Request) -> NoticeShown:
    """A notice with its signature: valid, or altered."""
    notice = await find_notice(work, _claimed_number(token))
    if notice is None or not is_genuine(token, notice):
        return ALTERED
    return NoticeShown(verdict="valid", signed=True, facts=await _facts(notice, work, request))


async def found(number: str, reference: str, work: Work, request: Request) -> NoticeShown:
    """A notice by its number and the reference of its certificate. Raises NoticeNotFound unless both belong together."""
    try:
        wanted = read_reference(reference, data_of(request).offices)
    except ReferenceMalformed:
        raise NoticeNotFound("reference") from None
    notice = await find_notice(work, number.upper()[:MAX_NUMBER])
    if notice is None or notice.reference != wanted:
        raise NoticeNotFound("number")
    return NoticeShown(verdict="valid", signed=False, facts=await _facts(notice, work, request))


def is_genuine(token: str, notice: TrackedNotice) -> bool:
    """Whether the gateway has signed this token, and it says what was announced of this notice."""
    pem = _key_of(notice).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        signed = jws.deserialize_compact(token, ECKey.import_key(pem), algorithms=[ALGORITHM])
        facts = json.loads(signed.payload)
    except (JoseError, ValueError):
        return False
    if signed.headers().get("typ") != NOTICE_TYPE or not isinstance(facts, dict):
        return False
    said = {name: facts.get(name) for name in ("number", "certificate", "destination")}
    same = {"number": notice.number, "certificate": notice.reference, "destination": notice.destination}
    times = ((facts.get("out_since"), notice.out_since), (facts.get("issued_at"), notice.issued_at))
    return said == same and all(_instant(text) == at for text, at in times)


def _claimed_number(token: str) -> str:
    """The number in a token that is not verified yet; empty if it has none."""
    if len(token) > MAX_TOKEN or token.count(".") != 2:
        return ""
    payload = token.split(".")[1]
    try:
        claimed = json.loads(b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True))
    except ValueError:
        return ""
    number = claimed.get("number") if isinstance(claimed, dict) else None
    return number if isinstance(number, str) and number.isascii() and len(number) <= MAX_NUMBER else ""


def _instant(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _key_of(notice: TrackedNotice) -> EllipticCurvePublicKey:
    key = load_der_public_key(b64decode(notice.public_key))
    assert isinstance(key, EllipticCurvePublicKey)
    return key


async def _facts(notice: TrackedNotice, work: Work, request: Request) -> NoticeFacts:
    steps, outage = await steps_of(work, notice.reference), await find_outage(work, notice.destination)
    numbers = _key_of(notice).public_numbers()
    return NoticeFacts(
        number=notice.number,
        kind="print" if notice.kind == "print" else "notice",
        certificate=notice.reference,
        destination=notice.destination,
        destination_name=data_of(request).country(notice.destination),
        out_since=notice.out_since,
        issued_at=notice.issued_at,
        code=StatusCode(steps[-1].code) if steps else None,
        outage_ended_at=outage.ended_at if outage and outage.since == notice.out_since else None,
        key=PublicKey(kty="EC", crv="P-256", x=_coordinate(numbers.x), y=_coordinate(numbers.y)),
    )


def _coordinate(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")
