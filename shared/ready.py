"""`python -IS shared/ready.py`: asks the replica that runs beside it whether it is ready, and says what stands in its way.

What a container's health check runs every few seconds: nothing but the standard library, and of that little.
"""

import http.client
import os
import ssl
import sys

WAITS = 3.0


def main() -> int:
    """0 where the replica is ready; otherwise 1, and its own words."""
    port = int(os.environ.get("CO_HTTP_PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAITS)
    if os.environ.get("CO_TLS_CERTIFICATE_FILE"):
        # it asks itself, and sends nothing: whose certificate this is, is for others to check
        unchecked = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=WAITS, context=unchecked)
    try:
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        print(answer.read().decode())
    except OSError as error:
        print(f"it does not answer: {error}")
        return 1
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
