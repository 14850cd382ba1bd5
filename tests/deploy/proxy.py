"""Runs a real nginx with our nginx.conf on loopback, with simulated backends for tracking, the portal and the gateway."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any

from deploy.pki import Pair, authority, machine
from tests.support.ports import free_ports

CONF = Path(__file__).parents[2] / "deploy" / "compose" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
"""The path of nginx, or None if it is not installed."""
HOME, ABROAD = "127.0.0.1", "127.0.0.2"
"""Two client addresses."""
LARGE = 16 * 1024 * 1024
"""The size of the page at `/large`, in bytes: more than all buffers between nginx and a client that reads nothing."""


EVENT = b"event: changed\n\n"


class Backend(ThreadingHTTPServer):
    """A backend that answers `here` and records the path, the `X-Forwarded-For` header and the body size of each request.

    `hosts`: the `Host` headers. `/portal/changes` answers with one event, and ends when `ended` is set. `within`: the seconds
    in which a body must arrive, as for the gateway; then the answer is 408.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.received: list[tuple[str, str | None, int]] = []
        self.hosts: list[str | None] = []
        self.ended = threading.Event()
        self.within = 60.0
        super().__init__((HOME, 0), Answers)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores connections that the proxy closes."""


class Answers(BaseHTTPRequestHandler):
    server: Backend

    def do_GET(self) -> None:
        try:
            chunked = self.headers.get("transfer-encoding") == "chunked"
            body = self._chunks() if chunked else self._body(int(self.headers.get("content-length", 0)))
        except TimeoutError:
            self.close_connection = True
            self.send_error(408)
            return
        except EOFError:
            return
        self.server.received.append((self.path, self.headers.get("x-forwarded-for"), len(body)))
        self.server.hosts.append(self.headers.get("host"))
        if self.path.startswith("/portal/changes"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(EVENT)
            self.wfile.flush()
            self.server.ended.wait(30)
            return
        answer = b"x" * LARGE if self.path == "/large" else b"here"
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def _chunks(self) -> bytes:
        """A body without a length. Raises EOFError if the proxy ends it before."""
        read = b""
        while line := self.rfile.readline():
            size = int(line, 16)
            read += self.rfile.read(size)
            if not self.rfile.readline():
                break
            if size == 0:
                return read
        raise EOFError

    def _body(self, size: int) -> bytes:
        """The body. Raises TimeoutError, and EOFError if the proxy ends it before."""
        until, read = monotonic() + self.server.within, b""
        while len(read) < size:
            self.connection.settimeout(max(until - monotonic(), 0.001))
            if not (piece := self.rfile.read1(size - len(read))):
                raise EOFError
            read += piece
        return read

    def log_message(self, *_: object) -> None: ...


@dataclass
class Proxy:
    """A running nginx."""

    port: int
    partner_port: int
    folder: Path
    tls: ssl.SSLContext
    tracking: Backend
    portal: Backend
    gateway: Backend
    certificates: Backend
    nginx: int
    open: ExitStack = field(default_factory=ExitStack)

    def port_of(self, path: str) -> int:
        """The port of a path: partners have their own."""
        return self.partner_port if path.startswith("/asw/") else self.port

    def connect(self, source: str = HOME, path: str = "/") -> ssl.SSLSocket:
        """A TLS connection from an address. It stays open until the proxy stops."""
        plain = socket.create_connection((HOME, self.port_of(path)), timeout=30, source_address=(source, 0))
        return self.open.enter_context(self.tls.wrap_socket(plain, server_hostname="localhost"))

    def begin(self, head: bytes, source: str = HOME, body: bytes = b"") -> ssl.SSLSocket:
        """A connection with the beginning of a request."""
        connection = self.connect(source, head.split()[1].decode())
        connection.sendall(head + body)
        return connection

    def ask(self, path: str = "/", source: str = HOME, method: str = "GET", **sent: Any) -> "Answer":
        """The answer to a complete request on a new connection."""
        connection = HTTPSConnection(HOME, self.port_of(path), timeout=30, source_address=(source, 0), context=self.tls)
        try:
            connection.request(method, path, **sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def buffered(self, folder: str) -> int:
        """The bytes in the temporary files of a folder. nginx unlinks them at once, so the files of its process are read."""
        (worker,) = Path(f"/proc/{self.nginx}/task/{self.nginx}/children").read_text().split()
        size = 0
        for file in list(Path(f"/proc/{worker}/fd").iterdir()):
            with suppress(FileNotFoundError):  # the file was closed meanwhile
                if os.readlink(file).startswith(f"{self.folder}/{folder}/"):
                    size += file.stat().st_size
        return size


@dataclass(frozen=True)
class Answer:
    """An answer of the proxy."""

    status: int
    headers: dict[str, str]
    body: bytes


def adapted(folder: Path, ports: dict[str, int], changes: dict[str, str]) -> str:
    """Our nginx.conf with the ports, files and folders of a test, and with its changes."""
    conf = CONF.read_text()
    here = {
        "listen 8443 ssl;": f"listen {HOME}:{ports['proxy']} ssl;",
        "listen 8444 ssl;": f"listen {HOME}:{ports['partners']} ssl;",
        " /tmp/": f" {folder}/",
        " /run/co/": f" {folder}/",
        "resolver 127.0.0.11 valid=2s ipv6=off;": "",
        "tracking:8000": f"{HOME}:{ports['tracking']}",
        "portal:8000": f"{HOME}:{ports['portal']}",
        "certificates:8000": f"{HOME}:{ports['certificates']}",
        "gateway:8000": f"{HOME}:{ports['gateway']}",
    }
    for ours, theirs in (here | changes).items():
        assert ours in conf, f"nginx.conf does not contain: {ours}"
        conf = conf.replace(ours, theirs)
    return f"user root;\n{conf}" if os.geteuid() == 0 else conf  # root owns the folder


def _write(folder: Path, name: str, pair: Pair) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(pair.certificate)
    key.write_bytes(pair.key)
    return certificate, key


@contextmanager
def _serving(server: Backend) -> Iterator[Backend]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def a_proxy(folder: Path, changes: dict[str, str] | None = None) -> Iterator[Proxy]:
    """A running proxy. `changes`: texts of the configuration and their replacements."""
    ca = authority()
    (folder / "ca.crt").write_bytes(ca.certificate)
    _write(folder, "tls", machine("proxy", ca))
    of_gateway = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    of_gateway.load_cert_chain(*_write(folder, "gateway", machine("gateway", ca)))
    with ExitStack() as stack:
        tracking, portal, gateway, certificates = Backend(), Backend(), Backend(), Backend()
        gateway.socket = of_gateway.wrap_socket(gateway.socket, server_side=True, do_handshake_on_connect=False)
        stack.enter_context(_serving(tracking))
        stack.enter_context(_serving(portal))
        stack.callback(portal.ended.set)
        stack.enter_context(_serving(gateway))
        stack.enter_context(_serving(certificates))
        backends = {"tracking": tracking, "portal": portal, "gateway": gateway, "certificates": certificates}
        ports = free_ports(["proxy", "partners"]) | {name: backend.server_port for name, backend in backends.items()}
        conf, log = folder / "nginx.conf", folder / "nginx.log"
        conf.write_text(adapted(folder, ports, changes or {}))
        assert NGINX
        command = [NGINX, "-p", folder, "-c", conf, "-e", log, "-g", "daemon off;"]
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        trusting = ssl.create_default_context(cafile=folder / "ca.crt")
        proxy = Proxy(ports["proxy"], ports["partners"], folder, trusting, tracking, portal, gateway, certificates, server.pid)
        stack.enter_context(proxy.open)
        while True:
            try:
                socket.create_connection((HOME, proxy.port), timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
        proxy.connect().close()  # the worker process has started
        yield proxy
