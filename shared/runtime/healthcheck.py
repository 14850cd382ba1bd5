"""The health check of a container: `python -IS shared/runtime/healthcheck.py` calls `/ready` of the replica in it.

It runs every few seconds, so it imports little: sockets, and TLS only if the replica uses TLS.
"""

import os
import socket
import sys

TIMEOUT = 3.0


def main() -> int:
    """Returns 0 if the replica is ready, else 1. It prints the answer."""
    port = int(os.environ.get("CO_HTTP_PORT", "8000"))
    try:
        with _connected(port) as replica:
            replica.sendall(b"GET /ready HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: replica.recv(65536), b""))
    except OSError as error:
        print(f"the replica does not answer: {error}")
        return 1
    head, _, body = answer.partition(b"\r\n\r\n")
    print(body.decode(errors="replace"))
    return 0 if head.split(b" ")[1:2] == [b"200"] else 1


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    if not os.environ.get("CO_TLS_CERTIFICATE_FILE"):
        return connection
    import ssl

    # it connects to itself and sends no data, so it need not verify the certificate
    return ssl._create_unverified_context().wrap_socket(connection)  # noqa: S323


if __name__ == "__main__":
    sys.exit(main())
