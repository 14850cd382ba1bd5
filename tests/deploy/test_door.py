"""Nobody takes the one door from others: not with slow or many connections, large bodies, or answers that are not taken."""

import os
import resource
import ssl
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import sleep

import pytest

from tests.conftest import eventually
from tests.deploy.door import ABROAD, HOME, LARGE, NGINX, Door, a_door

QUICK = {
    "client_header_timeout 10s;": "client_header_timeout 1s;",
    "client_body_timeout 10s;": "client_body_timeout 1s;",
    "send_timeout 10s;": "send_timeout 1s;",
}
"""Time-outs for which a test need not wait long. The third is also the end of `proxy_send_timeout`."""
MIB = 1024 * 1024
HALF_HEADER = b"GET / HTTP/1.1\r\nHost: door\r\nX-Slow: "
BODY_BEGUN = b"POST /asw/messages HTTP/1.1\r\nHost: door\r\nContent-Length: 4194304\r\n\r\n"

Begun = Callable[[dict[str, str]], Door]


@pytest.fixture
def begun(tmp_path: Path, request: pytest.FixtureRequest) -> Begun:
    """Opens a door. Needs nginx."""
    if NGINX is None:
        if os.environ.get("CO_CONTAINERS") == "required":
            pytest.fail("nginx is required: `apt-get install nginx-light`")
        pytest.skip("the one door with `apt-get install nginx-light`")

    def begin(changes: dict[str, str]) -> Door:
        opened = a_door(tmp_path, changes)
        door = opened.__enter__()
        request.addfinalizer(lambda: opened.__exit__(None, None, None))
        return door

    return begin


def closed(connection: ssl.SSLSocket) -> bool:
    """Waits until the door closes a connection, and says whether it did so without an answer of success."""
    try:
        said = connection.recv(4096)
    except (ConnectionError, ssl.SSLError):
        return True
    return said == b"" or said.startswith(b"HTTP/1.1 408")


def broken_off_in_the_midst(connection: ssl.SSLSocket) -> bool:
    """Goes on to send a byte now and then, and says whether the door closes the connection all the same."""
    connection.settimeout(0.1)
    for _ in range(300):
        try:
            connection.sendall(b"x")
            if connection.recv(4096) == b"":
                return True
        except TimeoutError:
            continue
        except (ConnectionError, ssl.SSLError):
            return True
    return False


def test_each_comes_through_to_where_it_belongs_under_its_true_address(begun: Begun) -> None:
    door = begun({})
    forged = {"X-Forwarded-For": "203.0.113.9"}

    assert door.ask("/", ABROAD, headers=forged).body == b"here"
    assert door.ask("/asw/messages", ABROAD, "POST", body=b"x" * 3 * MIB, headers=forged).body == b"here"

    assert door.tracking.heard == [("/", ABROAD, 0)]
    assert door.gateway.heard == [("/asw/messages", ABROAD, 3 * MIB)]
    assert [door.ask(path).status for path in ("/live", "/ready", "/metrics")] == [404] * 3


def test_a_header_that_never_ends_is_broken_off(begun: Begun) -> None:
    door = begun(QUICK)

    assert broken_off_in_the_midst(door.begin(HALF_HEADER))

    assert door.tracking.heard == []
    assert door.ask().status == 200


def test_a_body_that_stops_is_broken_off_and_its_room_is_given_back(begun: Begun) -> None:
    door = begun(QUICK)
    slow = door.begin(BODY_BEGUN, body=b"x" * MIB)

    assert closed(slow)

    assert door.gateway.heard == []
    assert door.waiting("body") == 0
    assert door.ask("/asw/messages", method="POST", body=b"a message").status == 200


async def test_bodies_of_one_address_leave_room_for_others(begun: Begun) -> None:
    door = begun({})
    for _ in range(16):
        door.begin(BODY_BEGUN, body=b"x" * 64 * 1024)

    def refused() -> bool:
        return door.ask("/asw/messages", method="POST", body=b"a message").status == 429

    assert await eventually(refused, within=30)
    answer = door.ask("/asw/messages", method="POST", body=b"a message")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    assert door.ask("/asw/messages", ABROAD, "POST", body=b"a message").body == b"here"
    assert door.ask("/", HOME).status == 200


async def test_bodies_of_many_addresses_do_not_fill_the_room(begun: Begun) -> None:
    door = begun({"client_body_timeout 10s;": "client_body_timeout 60s;"})
    almost_all = b"x" * (4 * MIB - 1)
    for number in range(40):
        door.begin(BODY_BEGUN, f"127.0.1.{1 + number // 16}", almost_all)

    def refused() -> bool:
        return door.ask("/asw/messages", ABROAD, "POST", body=b"a message").status == 429

    assert await eventually(refused, within=30)
    assert await eventually(lambda: door.waiting("body") > 39 * 4 * MIB, within=30)
    assert door.waiting("body") <= 160 * MIB
    assert door.ask("/", ABROAD).status == 200


@pytest.mark.parametrize(("path", "most"), [("/asw/messages", 4 * MIB), ("/", 8 * 1024)])
@pytest.mark.parametrize("chunked", [False, True], ids=["of a length that is said", "in pieces"])
def test_a_body_that_is_too_large_is_refused(begun: Begun, path: str, most: int, chunked: bool) -> None:
    door = begun({})
    head = f"POST {path} HTTP/1.1\r\nHost: door\r\n".encode()
    if chunked:
        body = b"%x\r\n" % (most + 1) + b"x" * (most + 1) + b"\r\n"
        refused = door.begin(head + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            refused.sendall(body)
        except ConnectionError:
            pass  # it was refused before all of it was sent
    else:
        refused = door.begin(head + f"Content-Length: {most + 1}\r\n\r\n".encode())

    assert refused.recv(4096).startswith(b"HTTP/1.1 413 ")
    assert door.tracking.heard == door.gateway.heard == []
    assert door.ask(path, method="POST", body=b"x" * most).status == 200


def test_a_header_that_is_too_large_is_refused(begun: Begun) -> None:
    door = begun({})
    assert door.ask("/", headers={"X-Large": "x" * 5000}).status == 400
    assert door.ask("/" + "x" * 5000).status == 414
    assert door.tracking.heard == []


def test_a_reader_who_takes_nothing_is_broken_off(begun: Begun) -> None:
    door = begun(QUICK)
    slow = door.begin(b"GET /large HTTP/1.1\r\nHost: door\r\n\r\n")
    taken = len(slow.recv(4096))
    assert door.waiting("proxy") == 0  # and nothing of it was put aside
    sleep(4)  # longer than the door waits, twice over
    assert door.ask("/", ABROAD).status == 200

    try:
        while piece := slow.recv(MIB):
            taken += len(piece)
    except (ConnectionError, ssl.SSLError):
        pass

    assert taken < LARGE


def test_who_asks_too_often_is_told_when_to_come_again_and_others_are_served(begun: Begun) -> None:
    door = begun({"rate=20r/s": "rate=1r/m", "burst=60": "burst=5", "rate=100r/s": "rate=1r/m", "burst=200": "burst=7"})

    pages = [door.ask() for _ in range(10)]
    messages = [door.ask("/asw/messages", method="POST", body=b"a message") for _ in range(10)]

    assert Counter(answer.status for answer in pages) == {200: 6, 429: 4}
    assert Counter(answer.status for answer in messages) == {200: 8, 429: 2}
    assert {answer.headers.get("Retry-After") for answer in pages + messages} == {None, "2"}
    assert all("Strict-Transport-Security" in answer.headers for answer in pages)
    assert door.ask("/", ABROAD).status == 200
    assert door.ask("/asw/messages", ABROAD, "POST", body=b"a message").status == 200


def test_answers_that_one_address_waits_for_leave_others_theirs(begun: Begun) -> None:
    door = begun({})
    for _ in range(32):
        door.begin(b"GET /large HTTP/1.1\r\nHost: door\r\n\r\n").recv(1)

    assert door.ask("/", HOME).status == 429
    assert door.ask("/", ABROAD).status == 200


def test_headers_of_one_address_leave_others_theirs(begun: Begun) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    door = begun({})
    for _ in range(1500):
        door.begin(HALF_HEADER)

    assert door.ask("/", ABROAD).status == 200


def test_connections_that_say_nothing_give_way_to_those_that_ask(begun: Begun) -> None:
    door = begun({"worker_connections 2048;": "worker_connections 64;"})
    for _ in range(100):
        door.connect()

    assert door.ask("/", ABROAD).status == 200


async def test_where_headers_took_every_connection_others_are_served_once_they_are_broken_off(begun: Begun) -> None:
    door = begun(QUICK | {"worker_connections 2048;": "worker_connections 64;"})
    for _ in range(100):
        try:
            door.begin(HALF_HEADER)
        except (ConnectionError, ssl.SSLError):
            break  # every connection is taken

    def served() -> bool:
        try:
            return door.ask("/", ABROAD).status == 200
        except (ConnectionError, ssl.SSLError):
            return False

    assert await eventually(served, within=30)
