"""The check of notices: valid, altered or unknown, by the signature or by number and certificate."""

import json
from base64 import b64encode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey

from shared.contracts.gateway.outages import MAX_TOKEN, NOTICE_TYPE, ContingencyIssued, ContingencyKind

from .conftest import CERTIFICATE, NOON, REFERENCE, Tracking, a_step, an_issued_certificate, an_outage

NUMBER = "KH-N-2026-000001"
KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
FACTS = {
    "iss": "KH",
    "number": NUMBER,
    "certificate": REFERENCE,
    "destination": "VN",
    "out_since": NOON.isoformat(),
    "issued_at": (NOON + timedelta(hours=5)).isoformat(),
}


def signed(facts: Any, key: ec.EllipticCurvePrivateKey = KEY, kind: str = NOTICE_TYPE) -> str:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    header = {"alg": "ES256", "typ": kind}
    return jws.serialize_compact(header, json.dumps(facts), ECKey.import_key(pem), algorithms=["ES256"])


TOKEN = signed(FACTS)


def a_notice(**changes: Any) -> ContingencyIssued:
    values: dict[str, Any] = {
        "number": NUMBER,
        "kind": ContingencyKind.NOTICE,
        "certificate_id": CERTIFICATE,
        "reference": REFERENCE,
        "destination": "VN",
        "transmission": 1,
        "out_since": NOON,
        "token": TOKEN,
        "public_key": b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode(),
        "version": 1,
        "occurred_at": NOON + timedelta(hours=5),
    }
    return ContingencyIssued(**values | changes)


async def check(tracking: Tracking, **typed: str) -> httpx.Response:
    return await tracking.public.get("/notices", params={**typed, "format": "json"})


@pytest.fixture(autouse=True)
async def announced(tracking: Tracking) -> None:
    await tracking.receive(an_issued_certificate(), a_step("AS1", 1), an_outage("VN", 1), a_notice())


async def test_a_notice_with_its_signature_is_valid(tracking: Tracking) -> None:
    answer = (await check(tracking, token=TOKEN)).json()
    assert (answer["verdict"], answer["signed"]) == ("valid", True)
    facts = answer["facts"]
    assert (facts["number"], facts["certificate"], facts["code"]) == (NUMBER, REFERENCE, "AS1")
    assert (facts["out_since"], facts["outage_ended_at"]) == ("2026-03-02T05:00:00Z", None)
    key = ECKey.import_key(facts["key"])
    assert json.loads(jws.deserialize_compact(TOKEN, key, algorithms=["ES256"]).payload) == FACTS

    page = (await tracking.public.get("/notices", params={"token": TOKEN}, headers={"accept": "text/html"})).text
    assert "The gateway of this country has signed this notice" in page


async def test_a_notice_says_what_has_happened_since(tracking: Tracking) -> None:
    await tracking.receive(an_outage("VN", 2, NOON + timedelta(days=3)), a_step("AS2", 2), a_step("REC", 3))
    facts = (await check(tracking, token=TOKEN)).json()["facts"]
    assert (facts["code"], facts["outage_ended_at"]) == ("REC", "2026-03-05T05:00:00Z")


def changed(**facts: str) -> str:
    header, _, signature = TOKEN.split(".")
    payload = urlsafe_b64encode(json.dumps(FACTS | facts).encode()).decode().rstrip("=")
    return f"{header}.{payload}.{signature}"


def without_signature() -> str:
    header = urlsafe_b64encode(b'{"alg":"none","typ":"co-notice+jws"}').decode().rstrip("=")
    return f"{header}.{TOKEN.split('.')[1]}."


@pytest.mark.parametrize(
    "token",
    [
        changed(certificate="D2026-PNH-000999"),
        changed(issued_at="2020-01-01T00:00:00+00:00"),
        changed(number="KH-N-2026-000002"),
        signed(FACTS, OTHER),
        signed(FACTS, kind="another"),
        signed(FACTS | {"certificate": "D2026-PNH-000999"}),
        signed(FACTS | {"out_since": "never"}),
        signed([NUMBER]),
        without_signature(),
        TOKEN[:-4],
        TOKEN + "." + TOKEN,
        "a.b.c",
        "a.e30.c",
        "." * 2,
        "x" * (MAX_TOKEN + 1),
        "é.é.é",
    ],
    ids=range(16),
)
async def test_everything_else_is_altered(tracking: Tracking, token: str) -> None:
    answer = await check(tracking, token=token)
    assert answer.status_code == 200
    assert answer.json() == {"verdict": "altered", "signed": True, "facts": None}
    page = (await tracking.public.get("/notices", params={"token": token}, headers={"accept": "text/html"})).text
    assert "Altered" in page
    assert "000999" not in page


async def test_a_notice_is_found_by_number_and_certificate_also_mistyped_a_little(tracking: Tracking) -> None:
    answer = (await check(tracking, number=NUMBER.lower(), reference="d2026 pnh 123")).json()
    assert (answer["verdict"], answer["signed"], answer["facts"]["number"]) == ("valid", False, NUMBER)


@pytest.mark.parametrize(
    ("number", "reference"),
    [(NUMBER, "D2026-PNH-000999"), ("KH-N-2026-000002", REFERENCE), (NUMBER, ""), ("", REFERENCE), ("", ""), (NUMBER, "?")],
)
async def test_a_number_alone_gives_no_certificate_away(tracking: Tracking, number: str, reference: str) -> None:
    answer = await check(tracking, number=number, reference=reference)
    assert (answer.status_code, answer.json()["code"]) == (404, "notice_not_found")
    page = await tracking.public.get(
        "/notices", params={"number": number, "reference": reference}, headers={"accept": "text/html"}
    )
    if number or reference:
        assert "No such notice" in page.text
    else:
        assert "Number of the notice" in page.text


async def test_the_page_is_in_khmer_too(tracking: Tracking) -> None:
    page = await tracking.public.get(
        "/notices", params={"token": TOKEN}, headers={"accept": "text/html", "accept-language": "km"}
    )
    assert "មានសុពលភាព" in page.text
