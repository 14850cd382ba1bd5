"""The floor of whole lives: the hops, rows and commits of the product, in as many processes, by nats-py and sqlite3.

`python -m bench.floors.lives SERVICE` runs one process in place of a service of the embedded run: same nats-server and
permissions, same tables, settings, keys, TLS, and the same stand-in for customs. Events are signed and verified (Ed25519),
messages between gateways too (XML-DSig, ECDSA). Left out: framework, validation, authorisation, tracing, metrics and logs.

| hop | process | rows written | commits | events |
|---|---|---|---|---|
| submit | certificates | certificate, act, answer, audit entry, 2 outbox | 1 + 2 | 2 |
| submitted | fees | inbox, invoice, outbox | 1 + 2 | 1 |
| status | tracking | inbox, progress, reached status | 1 (four times) | |
| pay | fees | invoice, payment, answer, audit entry, 2 outbox | 1 + 2 | 2 |
| settled | certificates | inbox, settlement | 1 | |
| review | certificates | certificate, act, answer, audit entry, outbox | 1 + 2 | 1 |
| approve | certificates | certificate, act, answer, audit entry, outbox, used step-up, task | 1 + 2 | 1 |
| issue | certificates | number, certificate, document, act, task, 3 outbox | 1 + 1 + 2 | 3 |
| issued | tracking | inbox, certificate | 1 | |
| documented | gateway | inbox, transmission, step, outbox, task | 1 + 2 | 1 |
| transmit | gateway | step, task, outbox; HTTPS, 2 signatures made and 2 verified | 1 + 1 + 2 | 1 |
| receive | gateway-vn | document, task | 1 | |
| decide | gateway-vn | document, 2 tasks; HTTP to customs | 1 + 1 | |
| return | gateway-vn | document, task; HTTPS, 2 signatures made and 2 verified | 1 + 1 | |
| decided | gateway | step, transmission, outbox | 1 + 2 | 1 |
| advanced | tracking | inbox, step, transmission | 1 (three times) | |

`+ 2`: the outbox is claimed and marked; `+ 1`: a task is leased. These commits cover all rows that wait, as in the product.
"""

import asyncio
import os
import ssl
import sys

from bench.floors.certificates import Certificates
from bench.floors.exchange import serve
from bench.floors.fees import Fees
from bench.floors.gateway import Gateway
from bench.floors.process import Process
from bench.floors.tracking import Tracking

KINDS: dict[str, type[Process]] = {"certificates": Certificates, "fees": Fees, "gateway": Gateway, "tracking": Tracking}


async def main(name: str) -> None:
    """Runs one process until it is ended."""
    process, tls = KINDS[name](name), None

    async def ready(_: bytes) -> bytes:
        return b""

    if certificate := os.environ.get("CO_TLS_CERTIFICATE_FILE"):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, os.environ["CO_TLS_KEY_FILE"])
        if authority := os.environ.get("CO_EXCHANGE_CA_FILE"):  # a gateway's clients present a certificate
            tls.load_verify_locations(authority)
            tls.verify_mode = ssl.CERT_OPTIONAL
    answer = process.receive if isinstance(process, Gateway) else ready
    await asyncio.gather(process.run(), serve(int(os.environ["CO_HTTP_PORT"]), tls, answer))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
