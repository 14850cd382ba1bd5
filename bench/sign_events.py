"""Measures the cost of signing and verifying an event: `python -m bench.sign_events`."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from uuid import uuid4

import nkeys

from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.security.event_signatures import EventKeys, EventSigner, event_keys_json
from tests.support.example_messages import example_of

TIMES = 5_000
LONG = 900 * 1024
"""The size of the longest event, in bytes."""


def measure(name: str, subject: str, body: bytes, times: int) -> None:
    key = nkeys.from_seed(bytearray(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)))
    signer, event_id, now = EventSigner(key), uuid4(), datetime.now(UTC)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(event_keys_json({"certificates": {key.public_key.decode(): None}}))
        keys = EventKeys(Path(file.name))
        began = process_time()
        for _ in range(times):
            headers = signer.headers(subject, event_id, body)
        signing = (process_time() - began) / times
        began = process_time()
        for _ in range(times):
            keys.verified_id(subject, headers, body, now)
        verifying = (process_time() - began) / times
    size = sum(len(name) + len(value) for name, value in headers.items())
    print(
        f"{name:28} {len(body):7,} bytes: sign {signing * 1e6:6.0f} us, verify {verifying * 1e6:6.0f} us, headers {size} bytes"
    )


if __name__ == "__main__":
    for kind in (CertificateSubmitted, CertificateDocumented):
        measure(kind.__name__, kind.subject, example_of(kind).model_dump_json().encode(), TIMES)
    measure("the longest event", CertificateDocumented.subject, b"x" * LONG, 200)
