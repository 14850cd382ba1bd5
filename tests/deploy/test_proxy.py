"""nginx limits each client: slow or many connections, large bodies and unread answers do not block other clients."""

import asyncio
import os
import resource
import ssl
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.conftest import eventually
from tests.deploy.proxy import ABROAD, EVENT, HOME, LARGE, NGINX, Proxy, a_proxy

pytestmark = pytest.mark.slow

QUICK = {
    "client_header_timeout 10s;": "client_header_timeout 1s;",
    "client_body_timeout 10s;": "client_body_timeout 1s;",
    "send_timeout 10s;": "send_timeout 1s;",
}
"""Short time-outs for tests. The third text is also the end of `proxy_send_timeout`."""
MIB = 1024 * 1024
HALF_HEADER = b"GET / HTTP/1.1\r\nHost: proxy\r\nX-Slow: "
UPLOAD_BEGUN = b"POST /portal/apply HTTP/1.1\r\nHost: proxy\r\nContent-Length: 6291456\r\n\r\n"
BODY_BEGUN = b"POST /asw/messages HTTP/1.1\r\nHost: proxy\r\nContent-Length: 4194304\r\n\r\n"

Start = Callable[[dict[str, str]], Proxy]


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Start:
    """Starts the proxy. Needs nginx."""
    if NGINX is None:
        if os.environ.get("CO_CONTAINERS") == "required":
            pytest.fail("nginx is required: `apt-get install nginx-light`")
        pytest.skip("needs nginx (`apt-get install nginx-light`)")

    def run(changes: dict[str, str]) -> Proxy:
        running = a_proxy(tmp_path, changes)
        proxy = running.__enter__()
        request.addfinalizer(lambda: running.__exit__(None, None, None))
        return proxy

    return run


def closed(connection: ssl.SSLSocket) -> bool:
    """Waits until the proxy answers or closes the connection. Returns whether the request has failed."""
    try:
        answer = connection.recv(4096)
    except (ConnectionError, ssl.SSLError):
        return True
    return answer == b"" or answer.startswith(b"HTTP/1.1 408")


def closed_while_sending(connection: ssl.SSLSocket) -> bool:
    """Sends a byte every 0.1 s. Returns whether the proxy closes the connection."""
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


def test_requests_reach_their_backend_with_the_true_client_address(start: Start) -> None:
    proxy = start({})
    forged = {"X-Forwarded-For": "203.0.113.9"}

    assert proxy.ask("/", ABROAD, headers=forged).body == b"here"
    assert proxy.ask("/asw/messages", ABROAD, "POST", body=b"x" * 3 * MIB, headers=forged).body == b"here"

    assert proxy.tracking.received == [("/", ABROAD, 0)]
    assert proxy.gateway.received == [("/asw/messages", ABROAD, 3 * MIB)]
    assert [proxy.ask(path).status for path in ("/live", "/ready", "/metrics")] == [404] * 3


def test_a_file_to_check_reaches_tracking_and_the_keys_are_those_of_certificates(start: Start) -> None:
    proxy = start({})
    assert proxy.ask("/verify", method="POST", body=b"x" * 5 * MIB).body == b"here"
    assert proxy.ask("/.well-known/did.json").body == b"here"

    assert proxy.tracking.received == [("/verify", HOME, 5 * MIB)]
    assert proxy.certificates.received == [("/.well-known/did.json", HOME, 0)]


def test_the_portal_is_below_its_path_and_sees_the_host_that_the_browser_has_asked(start: Start) -> None:
    proxy = start({})
    assert proxy.ask("/portal/", ABROAD, headers={"Host": "co.example:8443"}).body == b"here"
    assert proxy.ask("/portal/apply", method="POST", body=b"x" * 5 * MIB).body == b"here"
    assert proxy.ask("/portal").headers["Location"] == "/portal/"
    assert proxy.ask("/portals").body == b"here"

    assert proxy.portal.received == [("/portal/", ABROAD, 0), ("/portal/apply", HOME, 5 * MIB)]
    assert proxy.portal.hosts[0] == "co.example:8443"
    assert [path for path, _, _ in proxy.tracking.received] == ["/portals"]


def test_without_the_portal_the_public_site_is_served_and_the_portal_says_so(start: Start) -> None:
    proxy = start({"proxy_pass http://$portal;": "proxy_pass http://127.0.0.1:9;"})
    away = proxy.ask("/portal/")
    assert (away.status, away.headers["Content-Type"]) == (502, "text/plain; charset=utf-8")
    assert "វិបផតថល" in away.body.decode()
    assert proxy.ask("/").body == b"here"


def test_an_event_of_a_live_page_arrives_at_once(start: Start) -> None:
    proxy = start({})
    live = proxy.begin(b"GET /portal/changes?ids= HTTP/1.1\r\nHost: proxy\r\n\r\n")
    received = b""
    while EVENT not in received:
        received += live.recv(4096)
        assert received, "the proxy has closed the connection"


async def test_large_uploads_of_one_address_block_neither_forms_nor_other_addresses(start: Start) -> None:
    proxy = start({})
    for _ in range(4):
        proxy.begin(UPLOAD_BEGUN, body=b"x" * 64 * 1024)

    def refused() -> bool:
        return proxy.ask("/portal/apply", method="POST", body=b"x" * 10_000).status == 429

    assert await eventually(refused, within=30)
    assert proxy.ask("/portal/sign-in", method="POST", body=b"x" * 9_999).status == 200
    assert proxy.ask("/portal/").status == 200
    assert proxy.ask("/portal/apply", ABROAD, "POST", body=b"x" * MIB).status == 200


def test_an_endless_header_is_closed(start: Start) -> None:
    proxy = start(QUICK)

    assert closed_while_sending(proxy.begin(HALF_HEADER))

    assert proxy.tracking.received == []
    assert proxy.ask().status == 200


def test_a_body_that_stops_is_closed_and_never_buffered(start: Start) -> None:
    proxy = start(QUICK)
    slow = proxy.begin(BODY_BEGUN, body=b"x" * MIB)
    assert proxy.buffered("body") == 0

    assert closed(slow)

    assert proxy.gateway.received == []
    assert proxy.ask("/asw/messages", method="POST", body=b"a message").status == 200


async def test_bodies_of_one_address_do_not_block_other_addresses(start: Start) -> None:
    proxy = start({})
    for _ in range(16):
        proxy.begin(BODY_BEGUN, body=b"x" * 64 * 1024)

    def refused() -> bool:
        return proxy.ask("/asw/messages", method="POST", body=b"a message").status == 429

    assert await eventually(refused, within=30)
    answer = proxy.ask("/asw/messages", method="POST", body=b"a message")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    assert proxy.ask("/asw/messages", ABROAD, "POST", body=b"a message").body == b"here"
    assert proxy.ask("/", HOME).status == 200


async def test_bodies_of_many_addresses_fill_neither_a_disk_nor_the_gateway(start: Start) -> None:
    proxy = start({})
    almost_all = b"x" * (MIB - 1)
    for number in range(144):
        proxy.begin(BODY_BEGUN, f"127.0.1.{1 + number // 16}", almost_all)

    def refused() -> bool:
        return proxy.ask("/asw/messages", ABROAD, "POST", body=b"a message").status == 429

    assert await eventually(refused, within=30)
    assert proxy.buffered("body") == 0
    assert proxy.ask("/", ABROAD).status == 200


async def test_bodies_that_drip_for_ever_hold_no_place_longer_than_the_gateway_waits(start: Start) -> None:
    """Three addresses send a byte each second, in 16 requests each. Before, they kept all partners out for ever."""
    proxy = start({})
    proxy.gateway.within = 3.0
    slow = [proxy.begin(BODY_BEGUN, f"127.0.1.{1 + number // 16}") for number in range(48)]
    began, waits, ended = monotonic(), [], set[int]()
    while len(ended) < len(slow):
        assert monotonic() - began < 20
        asked = monotonic()
        assert proxy.ask("/asw/messages", ABROAD, "POST", body=b"a message").body == b"here"
        waits.append(monotonic() - asked)
        ended |= {number for number, each in enumerate(slow) if number not in ended and not still_open(each)}
        await asyncio.sleep(1)
    print(f"\n48 dripping bodies ended within {monotonic() - began:.1f} s; an honest partner waited at most {max(waits):.3f} s")


def still_open(connection: ssl.SSLSocket) -> bool:
    """Sends one byte of a body. Returns whether the proxy still waits for others."""
    connection.settimeout(0.01)
    try:
        connection.sendall(b"x")
        connection.recv(4096)
    except TimeoutError:
        return True
    except (ConnectionError, ssl.SSLError):
        pass
    return False


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/asw/messages", 4 * MIB), ("/portal/apply", 6 * MIB), ("/verify", 6 * MIB), ("/verify/bulk", 2 * MIB), ("/", 8 * 1024)],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
def test_a_body_that_is_too_large_is_refused(start: Start, path: str, limit: int, chunked: bool) -> None:
    proxy = start({})
    head = f"POST {path} HTTP/1.1\r\nHost: proxy\r\n".encode()
    if chunked:
        body = b"%x\r\n" % (limit + 1) + b"x" * (limit + 1) + b"\r\n"
        refused = proxy.begin(head + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            refused.sendall(body)
        except ConnectionError:
            pass  # the proxy has refused it before its end
    else:
        refused = proxy.begin(head + f"Content-Length: {limit + 1}\r\n\r\n".encode())

    assert refused.recv(4096).startswith(b"HTTP/1.1 413 ")
    assert proxy.tracking.received == proxy.portal.received == proxy.gateway.received == []
    assert proxy.ask(path, method="POST", body=b"x" * limit).status == 200


def test_a_header_that_is_too_large_is_refused(start: Start) -> None:
    proxy = start({})
    assert proxy.ask("/", headers={"X-Large": "x" * 5000}).status == 400
    assert proxy.ask("/" + "x" * 5000).status == 414
    assert proxy.tracking.received == []


def test_a_client_that_reads_nothing_is_closed(start: Start) -> None:
    proxy = start(QUICK)
    slow = proxy.begin(b"GET /large HTTP/1.1\r\nHost: proxy\r\n\r\n")
    read = len(slow.recv(4096))
    assert proxy.buffered("proxy") == 0  # the answer is not written to a file
    sleep(4)  # longer than two time-outs of the proxy
    assert proxy.ask("/", ABROAD).status == 200

    try:
        while piece := slow.recv(MIB):
            read += len(piece)
    except (ConnectionError, ssl.SSLError):
        pass

    assert read < LARGE


def test_too_many_requests_get_429_with_retry_after_and_other_addresses_are_served(start: Start) -> None:
    proxy = start({"rate=20r/s": "rate=1r/m", "burst=60": "burst=5", "rate=100r/s": "rate=1r/m", "burst=200": "burst=7"})

    pages = [proxy.ask() for _ in range(10)]
    messages = [proxy.ask("/asw/messages", method="POST", body=b"a message") for _ in range(10)]

    assert Counter(answer.status for answer in pages) == {200: 6, 429: 4}
    assert Counter(answer.status for answer in messages) == {200: 8, 429: 2}
    assert {answer.headers.get("Retry-After") for answer in pages + messages} == {None, "2"}
    assert all("Strict-Transport-Security" in answer.headers for answer in pages)
    assert proxy.ask("/", ABROAD).status == 200
    assert proxy.ask("/asw/messages", ABROAD, "POST", body=b"a message").status == 200


def test_waiting_answers_of_one_address_do_not_block_other_addresses(start: Start) -> None:
    proxy = start({})
    for _ in range(32):
        proxy.begin(b"GET /large HTTP/1.1\r\nHost: proxy\r\n\r\n").recv(1)

    assert proxy.ask("/", HOME).status == 429
    assert proxy.ask("/", ABROAD).status == 200


def test_open_headers_of_one_address_do_not_block_other_addresses(start: Start) -> None:
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard_limit, 8192), hard_limit))
    proxy = start({})
    for _ in range(1500):
        proxy.begin(HALF_HEADER)

    assert proxy.ask("/", ABROAD).status == 200


def test_idle_connections_are_closed_for_requests(start: Start) -> None:
    proxy = start({"worker_connections 2048;": "worker_connections 64;"})
    for _ in range(100):
        proxy.connect()

    assert proxy.ask("/", ABROAD).status == 200


async def test_after_slow_headers_have_used_all_connections_others_are_served_at_their_time_out(start: Start) -> None:
    proxy = start(QUICK | {"worker_connections 2048;": "worker_connections 64;"})
    for _ in range(100):
        try:
            proxy.begin(HALF_HEADER)
        except (ConnectionError, ssl.SSLError):
            break  # every connection is taken

    def served() -> bool:
        try:
            return proxy.ask("/", ABROAD).status == 200
        except (ConnectionError, ssl.SSLError):
            return False

    assert await eventually(served, within=30)
