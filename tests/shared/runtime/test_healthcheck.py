"""The health check of a container: what the replica beside it says, by its exit code."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

READY = Path(__file__).parents[3] / "shared" / "runtime" / "healthcheck.py"


@contextmanager
def a_replica(status: int, body: bytes) -> Iterator[int]:
    class HttpServer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/ready" else 404)
            self.end_headers()
            self.wfile.write(body)

    server = HTTPServer(("127.0.0.1", 0), HttpServer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(port: int) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CO_HTTP_PORT": str(port)}
    return subprocess.run([sys.executable, "-IS", READY], env=environment, capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (500, 1)])
def test_a_replica_is_as_ready_as_it_says(status: int, code: int) -> None:
    with a_replica(status, b'{"problems": ["waiting for the bus"]}') as port:
        done = ask(port)
    assert (done.returncode, done.stdout.strip()) == (code, '{"problems": ["waiting for the bus"]}')


def test_a_replica_that_is_not_there_is_not_ready() -> None:
    with a_replica(200, b"") as port:
        pass
    done = ask(port)
    assert done.returncode == 1
    assert "does not answer" in done.stdout
