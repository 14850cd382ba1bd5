"""The check of many certificates at once, with the key of an authority."""

import json
from datetime import date
from typing import Any

import httpx
import pytest
from opentelemetry.trace import INVALID_SPAN

from services.tracking import check_keys
from services.tracking.bulk import MAX_BODY, PER_REQUEST
from services.tracking.handlers import router
from services.tracking.limits import BURST
from shared.contracts.certificates.cancelling import CertificateCancelled
from shared.contracts.tracking import IssueCheckKey, ListCheckKeys, WithdrawCheckKey
from tests.tracking.conftest import CERTIFICATE, NOON, REFERENCE, Tracking, an_issued_certificate
from tests.tracking.test_tracking_check import CODE, SealedPage, a_key, a_seal, sealed

__all__ = ["sealed"]


async def a_new_key(tracking: Tracking) -> Any:
    command = IssueCheckKey(authority="Customs of Viet Nam", country="VN")
    async with tracking.context.work(INVALID_SPAN) as work:
        return await router.requests[IssueCheckKey](command, work)


async def check(tracking: Tracking, key: str, *entries: dict[str, str], body: bytes | None = None) -> httpx.Response:
    content = json.dumps({"entries": entries}).encode() if body is None else body
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return await tracking.public.post("/verify/bulk", content=content, headers=headers)


async def test_each_entry_has_its_own_outcome_in_the_order_of_the_request(tracking: Tracking, sealed: SealedPage) -> None:
    await tracking.receive(an_issued_certificate(), a_key(), a_seal(sealed))
    key = (await a_new_key(tracking)).key

    answer = await check(
        tracking,
        key,
        {"reference": REFERENCE, "code": CODE},
        {"qr": f"https://co.example/verify?q={sealed.summary}"},
        {"reference": REFERENCE, "code": "XXXX-XXXX-XXXX"},
        {"reference": "D2026-PNH-999999", "code": CODE},
        {"reference": "nonsense", "code": CODE},
        {"qr": sealed.summary[:-4] + "AAAA"},
        {"qr": "hello"},
    )

    results = answer.json()["results"]
    assert [each["number"] for each in results] == [1, 2, 3, 4, 5, 6, 7]
    assert [each["verdict"] for each in results] == [*("valid", "valid", "unknown", "unknown", "unknown", "altered", "altered")]
    assert (results[0]["reference"], results[0]["exporter"]) == (REFERENCE, "Angkor Garment Co., Ltd.")
    assert results[2]["exporter"] is None
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("replaced_by", "verdict"), [(None, "cancelled"), ("D2026-PNH-000124", "replaced")])
async def test_a_certificate_that_has_ended_says_how(
    tracking: Tracking, sealed: SealedPage, replaced_by: str | None, verdict: str
) -> None:
    values = {"certificate_id": CERTIFICATE, "reference": REFERENCE, "destination": "VN", "detail": "x", "reason": "x"}
    ended = CertificateCancelled(**values, replaced_by=replaced_by, version=8, occurred_at=NOON)
    await tracking.receive(an_issued_certificate(), a_key(), a_seal(sealed), ended)

    (result,) = (await check(tracking, (await a_new_key(tracking)).key, {"qr": sealed.summary})).json()["results"]

    assert (result["verdict"], result["replaced_by"]) == (verdict, replaced_by)


async def test_an_expired_certificate_is_told(tracking: Tracking, sealed: SealedPage) -> None:
    await tracking.receive(an_issued_certificate(valid_until=date(2026, 3, 1)), a_key(), a_seal(sealed))

    (result,) = (await check(tracking, (await a_new_key(tracking)).key, {"qr": sealed.summary})).json()["results"]

    assert result["verdict"] == "expired"


async def test_only_a_valid_key_opens_the_check(tracking: Tracking) -> None:
    issued = await a_new_key(tracking)
    wrong = issued.key[:-1] + ("A" if issued.key[-1] != "A" else "B")
    for key in ("", "x", wrong, "co-check.zz.x", f"co-check.{'0' * 32}.x"):
        answer = await check(tracking, key, {"qr": "x"})
        assert (answer.status_code, answer.json()["code"]) == (401, "check_key_invalid")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert (await check(tracking, issued.key, {"qr": "x"})).status_code == 200

    async with tracking.context.work(INVALID_SPAN) as work:
        await router.requests[WithdrawCheckKey](WithdrawCheckKey(key_id=issued.key_id), work)

    assert (await check(tracking, issued.key, {"qr": "x"})).status_code == 401


async def test_a_key_is_stored_as_a_digest_and_listed_without_it(tracking: Tracking) -> None:
    issued = await a_new_key(tracking)

    async with tracking.context.reading(INVALID_SPAN) as work:
        (kept,) = [each for each in await check_keys.all_keys(work) if each.key_id == issued.key_id]
        listed: Any = await router.requests[ListCheckKeys](ListCheckKeys(), work)

    assert issued.key not in str(kept)
    assert issued.key.rpartition(".")[2] not in str(kept) + listed.model_dump_json()
    assert IssueCheckKey.secret


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", "body"),
        (b'{"entries": []}', "entries"),
        (json.dumps({"entries": [{"qr": "x"}] * 501}).encode(), "entries"),
        (b'{"entries": [{"reference": "D2026-PNH-000123"}]}', "entries.0"),
        (b'{"entries": [{"qr": "x", "code": "y"}]}', "entries.0"),
        (b'{"entries": [{"qr": "x"}], "more": 1}', "more"),
    ],
)
async def test_a_malformed_request_is_refused_with_its_place(tracking: Tracking, body: bytes, where: str) -> None:
    answer = await check(tracking, (await a_new_key(tracking)).key, body=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "bulk_check_malformed")
    assert where in answer.json()["detail"]


async def test_a_large_request_is_refused_before_it_is_read(tracking: Tracking) -> None:
    answer = await check(tracking, "", body=b"x" * (MAX_BODY + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, "bulk_check_too_large")


async def test_a_key_has_a_limit_that_counts_entries(tracking: Tracking) -> None:
    key = (await a_new_key(tracking)).key
    many = [{"qr": "x"}] * PER_REQUEST * int(BURST // 2)

    statuses = [(await check(tracking, key, *many)).status_code for _ in range(4)]

    assert statuses[0] == 200
    assert 429 in statuses
