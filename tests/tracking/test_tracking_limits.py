"""The limits of an address: a burst, then a steady rate; a bounded table; few open streams."""

import pytest

from services.tracking import limits
from services.tracking.limits import BURST, RATE, Limits, TooManyStreams
from services.tracking.visitors import network_of

from .conftest import A_JOURNEY, Tracking

HOME, ABROAD = "203.0.113.7", "198.51.100.9"


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_an_address_may_send_a_burst_and_then_a_steady_rate() -> None:
    now = Seconds()
    limit = Limits(now)
    assert [limit.take(HOME) for _ in range(int(BURST))] == [0.0] * int(BURST)
    assert 0 < limit.take(HOME) <= 1 / RATE
    assert limit.take(ABROAD) == 0
    now.at += 1
    assert [bool(limit.take(HOME)) for _ in range(int(RATE) + 1)] == [False] * int(RATE) + [True]
    now.at += 3600
    assert [bool(limit.take(HOME)) for _ in range(int(BURST) + 1)] == [False] * int(BURST) + [True]


def test_the_table_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ADDRESSES", 3)
    limit = Limits(Seconds())
    for number in range(10):
        limit.take(f"192.0.2.{number}")
    assert list(limit._buckets) == ["192.0.2.7", "192.0.2.8", "192.0.2.9"]


@pytest.mark.parametrize(
    ("address", "key"),
    [
        (HOME, HOME),
        ("2001:db8:1:2::1", "20010db800010002"),
        ("2001:db8:1:2:ffff::9", "20010db800010002"),
        ("::ffff:203.0.113.7", HOME),
        ("unix socket" * 50, ("unix socket" * 50)[:64]),
    ],
)
def test_one_client_has_all_addresses_of_its_network(address: str, key: str) -> None:
    assert network_of(address) == key


def test_an_address_has_few_open_streams_and_the_replica_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Limits()
    for _ in range(limits.MAX_STREAMS_OF_ONE):
        limit.open_stream(HOME)
    with pytest.raises(TooManyStreams):
        limit.open_stream(HOME)
    limit.close_stream(HOME)
    limit.open_stream(HOME)
    monkeypatch.setattr(limits, "MAX_STREAMS", limits.MAX_STREAMS_OF_ONE)
    with pytest.raises(TooManyStreams):
        limit.open_stream(ABROAD)
    for _ in range(limits.MAX_STREAMS_OF_ONE):
        limit.close_stream(HOME)
    assert not limit._streams


async def test_too_many_requests_are_refused_with_a_sentence_and_the_time_to_wait(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY)
    for _ in range(int(BURST)):
        tracking.limits.take("127.0.0.1")
    as_json, page = await tracking.json(), await tracking.see("/")
    assert (as_json.status_code, page.status_code) == (429, 429)
    assert as_json.json()["code"] == "too_many_requests"
    assert int(as_json.headers["retry-after"]) >= 1
    assert "at most 20 a second" in page.text
    assert "សូមរង់ចាំបន្តិច" in page.text
    assert (await tracking.public.get("/live")).status_code == 200  # health is not limited
    assert (await tracking.public.get("/static/0/style.css")).status_code == 200


async def test_a_forged_header_does_not_change_the_address(tracking: Tracking) -> None:
    for _ in range(int(BURST)):
        tracking.limits.take("127.0.0.1")
    forged = {"x-forwarded-for": ABROAD, "forwarded": f"for={ABROAD}"}
    answer = await tracking.public.get("/codes", headers=forged)
    assert answer.status_code == 429
