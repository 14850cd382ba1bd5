"""The exchange of one e-Form D of three items between two gateways: message, receipt, signatures, schemas and HTTPS.

Everything runs in this process, so its processor time is that of both gateways, without databases. The floor does the same with
lxml and cryptography alone: no models, no schemas, no limits.
"""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import process_time
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.serialization import Encoding

from bench.figures import Conditions, Figure, middle
from bench.floors.exchange import Http, Signatures, form, serve
from services.gateway.wire import xml
from services.gateway.wire.exchange import XML_TYPE
from services.gateway.wire.messages import Document, Envelope, Kind, Receipt, WireModel
from services.gateway.wire.opening import Contents, Rejection, open_message
from services.gateway.wire.schemas import must_be_valid
from services.gateway.wire.signature import Signer
from services.gateway.wire.tls import Connections, trust_only
from shared.xml.layout import VERSIONS
from tests.gateway.builders import NOON, a_form, a_signer, an_item, put_keys
from tests.support.ports import free_ports

FIGURES = ("exchange",)
FORM = a_form(items=tuple(an_item(number) for number in (1, 2, 3)))
HOST = "127.0.0.1"


class Costs(dict[str, float]):
    """Milliseconds of a processor by step."""

    def run(self, step: str, action: Callable[[], Any]) -> Any:
        """Does a step, adds what it costs, and returns its result."""
        began = process_time()
        result = action()
        self.add(step, began)
        return result

    def add(self, step: str, began: float) -> None:
        """Adds what was used since `began` (`process_time`) to a step."""
        self[step] = self.get(step, 0.0) + 1000 * (process_time() - began)


async def measure(conditions: Conditions) -> list[Figure]:
    """Exchanges per second of one processor. Details: milliseconds of a processor for each step of the product."""
    signers = {country: a_signer(country, address=HOST) for country in ("KH", "VN")}
    files = {country: put_keys(conditions.folder, country, signer) for country, signer in signers.items()}
    port, times, pairs, costs = free_ports(["partner"])["partner"], conditions.at_most(300, 5), [], Costs()
    async with _partner(port, files, signers) as floor_http:
        connections = Connections(*files["KH"])
        client = connections.to("VN", [signers["VN"].certificate])
        for _ in range(conditions.rounds):
            product, floor = Costs(), Costs()
            for _ in range(times):
                sent = _sent(product, signers["KH"])
                began = process_time()
                await client.post(f"https://{HOST}:{port}/", content=sent, headers={"content-type": XML_TYPE})
                product.add("HTTPS", began)
                _answered(product, sent, signers)
                await _floor(floor, files, floor_http, port)
            pairs.append((1000 * times / sum(product.values()), 1000 * times / sum(floor.values())))
            for step, spent in product.items():
                costs[step] = costs.get(step, 0.0) + spent / times / conditions.rounds
        await connections.aclose()
    return [middle("exchange", "1/s of a processor", pairs, processor_ms={step: round(ms, 2) for step, ms in costs.items()})]


def _sent(costs: Costs, signer: Signer) -> bytes:
    envelope = Envelope(
        message_id=uuid4(),
        kind=Kind.DOCUMENT,
        sender="KH",
        receiver="VN",
        sent_at=NOON,
        reference=FORM.reference,
        number=1,
    )
    return _written(costs, envelope, Document(form=FORM), signer)


def _written(costs: Costs, envelope: Envelope, content: WireModel, signer: Signer) -> bytes:
    message = costs.run("write", lambda: xml.write_message(envelope, content, VERSIONS[-1]))
    costs.run("validate what is sent", lambda: must_be_valid(message, envelope.kind, VERSIONS[-1]))
    signed: bytes = costs.run("sign", lambda: signer.sign(message))
    return signed


def _answered(costs: Costs, sent: bytes, signers: dict[str, Signer]) -> None:
    """The partner opens the message and signs a receipt, which the sender opens."""
    opened = _opened(costs, sent, signers["KH"])
    receipt = Receipt(in_reply_to=opened.message_id, received_at=NOON)
    _opened(costs, _written(costs, opened.answered(NOON), receipt, signers["VN"]), signers["VN"])


def _opened(costs: Costs, raw: bytes, signer: Signer) -> Envelope:
    der = signer.certificate.public_bytes(Encoding.DER)
    contents: Contents | Rejection = costs.run("verify, validate and read", lambda: open_message(raw, [der]))[0]
    assert not isinstance(contents, Rejection)
    assert contents.content is not None
    return contents.envelope


async def _floor(costs: Costs, files: dict[str, tuple[Path, Path]], http: Http, port: int) -> None:
    home, partner = Signatures(*files["KH"], files["VN"][0]), Signatures(*files["VN"], files["KH"][0])
    envelope = {"id": uuid4(), "sender": "KH", "receiver": "VN", "at": NOON.isoformat(), "reference": FORM.reference}
    began = process_time()  # keys are read once in a gateway
    sent = home.sign("Document", form(FORM.model_dump(mode="json")), envelope)
    await http.post(HOST, port, "/", sent)
    partner.verify(sent)
    times = f"<InReplyTo>{envelope['id']}</InReplyTo><ReceivedAt>{envelope['at']}</ReceivedAt>"
    home.verify(partner.sign("Receipt", times, envelope | {"sender": "VN", "receiver": "KH"}))
    costs.add("everything", began)


@asynccontextmanager
async def _partner(port: int, files: dict[str, tuple[Path, Path]], signers: dict[str, Signer]) -> AsyncIterator[Http]:
    """A server with mutual TLS that answers every message with a text as long as a receipt, and the floor's client for it."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(*files["VN"])
    client.load_cert_chain(*files["KH"])
    server.verify_mode = ssl.CERT_REQUIRED
    trust_only(server, [signers["KH"].certificate])
    trust_only(client, [signers["VN"].certificate])

    async def answer(_: bytes) -> bytes:
        return b" " * 2500

    await serve(port, server, answer)
    http = Http(client)
    yield http
    await http.aclose()
