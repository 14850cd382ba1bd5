"""The gateways of the floor of whole lives: at home it transmits, and at the partner it receives and returns."""

import json
import os
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from lxml import etree

from bench.floors.exchange import DOC, Http, Signatures, form, text_of
from bench.floors.process import KEEP, Body, Process, hexed, now

ADVANCED = "evt.transmission.advanced.v1"


class Gateway(Process):
    """The gateway of a country. It has one partner."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.events = {"evt.certificate.documented.v1": self.documented}
        self.tasks = {
            "transmit_document": self.transmit,
            "deliver_to_customs": self.deliver,
            "return_response": self.return_response,
        }
        self._country = os.environ["CO_COUNTRY"]
        (known,) = json.loads(Path(os.environ["CO_PARTNERS_FILE"]).read_bytes())["partners"]
        self._partner = known["country"]
        self._address, self._customs_address = urlsplit(known["address"]), urlsplit(os.environ["CO_CUSTOMS_URL"])
        certificate, key = (Path(os.environ[f"CO_SIGNING_{part}_FILE"]) for part in ("CERTIFICATE", "KEY"))
        self._signatures = Signatures(certificate, key, Path(known["signing_certificates"][0]))
        tls = ssl.create_default_context(cafile=os.environ["CO_EXCHANGE_CA_FILE"])
        tls.load_cert_chain(os.environ["CO_TLS_CERTIFICATE_FILE"], os.environ["CO_TLS_KEY_FILE"])
        self._exchange = Http(tls)
        self._customs = Http(None)

    def documented(self, event: Body) -> None:
        document, identity = event["document"], uuid4().hex
        self.insert(
            "transmissions",
            transmission_id=identity,
            certificate_id=hexed(event["certificate_id"]),
            exporter_id=hexed(event["exporter_id"]),
            reference=document["reference"],
            destination=document["destination"],
            number=1,
            document=json.dumps(document, ensure_ascii=False),
            began_at=now(),
        )
        self._step(identity, event["certificate_id"], document["reference"], "AS1", now())
        self.later("transmit_document", identity)

    async def transmit(self, transmission_id: str) -> None:
        query = "SELECT certificate_id, reference, document FROM transmissions WHERE transmission_id=?"
        certificate_id, reference, document = self.db.execute(query, (transmission_id,)).fetchone()
        receipt = await self._exchanged("Document", form(json.loads(document)), transmission_id, reference)
        with self.transaction() as db:
            db.execute("SELECT * FROM partners WHERE country=?", (self._partner,)).fetchone()
            self._step(transmission_id, certificate_id, reference, "AS2", text_of(receipt, "ReceivedAt"))
            self.finished("transmit_document", transmission_id)

    async def deliver(self, document_id: str) -> None:
        (document,) = self.db.execute("SELECT document FROM inbound_documents WHERE document_id=?", (document_id,)).fetchone()
        at = self._customs_address
        answer = await self._customs.post(str(at.hostname), at.port or 80, at.path, document.encode())
        assert json.loads(answer)["decision"] == "accepted"
        with self.transaction() as db:
            db.execute("UPDATE inbound_documents SET decided_at=? WHERE document_id=?", (now(), document_id))
            self.later("return_response", document_id)
            self.finished("deliver_to_customs", document_id)

    async def return_response(self, document_id: str) -> None:
        query = "SELECT reference, received_at, decided_at FROM inbound_documents WHERE document_id=?"
        reference, received_at, decided_at = self.db.execute(query, (document_id,)).fetchone()
        times = f"<ReceivedAt>{received_at}</ReceivedAt><AvailableAt>{decided_at}</AvailableAt>"
        receipt = await self._exchanged("Acknowledgement", times, document_id, reference)
        with self.transaction() as db:
            returned = (text_of(receipt, "ReceivedAt"), document_id)
            db.execute("UPDATE inbound_documents SET returned_at=? WHERE document_id=?", returned)
            self.finished("return_response", document_id)

    async def receive(self, raw: bytes) -> bytes:
        """A message of the partner; returns the receipt."""
        root = self._signatures.verify(raw)
        reference, at = text_of(root, "Reference"), now()
        with self.transaction() as db:
            if text_of(root, "Kind") == "Document":
                identity = uuid4().hex
                self.insert(
                    "inbound_documents",
                    document_id=identity,
                    sender=self._partner,
                    reference=reference,
                    number=1,
                    document=etree.tostring(root.find(f".//{{{DOC}}}EFormD"), encoding="unicode"),
                    message=raw,
                    received_at=at,
                    reasons="[]",
                    valid_until=root.findtext(f".//{{{DOC}}}ExpirationDate"),
                )
                self.later("deliver_to_customs", identity)
            else:
                query = "SELECT transmission_id, certificate_id FROM transmissions WHERE reference=? AND number=1"
                identity, certificate_id = db.execute(query, (reference,)).fetchone()
                self._step(identity, certificate_id, reference, "AS2", text_of(root, "ReceivedAt"))
                self._step(identity, certificate_id, reference, "REC", text_of(root, "AvailableAt"))
                db.execute("UPDATE transmissions SET answered=1 WHERE transmission_id=?", (identity,))
        message_id = text_of(root, "MessageID")
        content = f"<InReplyTo>{message_id}</InReplyTo><ReceivedAt>{at}</ReceivedAt>"
        return self._signatures.sign("Receipt", content, self._envelope(message_id, reference))

    async def _exchanged(self, kind: str, content: str, identity: str, reference: str) -> Any:
        """Sends a message; returns the root of the receipt."""
        message = self._signatures.sign(kind, content, self._envelope(identity, reference))
        at = self._address
        return self._signatures.verify(await self._exchange.post(str(at.hostname), at.port or 443, at.path, message))

    def _envelope(self, identity: str, reference: str) -> Body:
        parties = {"sender": self._country, "receiver": self._partner}
        return {"id": identity, "at": now(), "reference": reference, **parties}

    def _step(self, transmission_id: str, certificate_id: str, reference: str, code: str, at: str) -> None:
        """Writes and announces a step, unless it is known."""
        position = ("AS1", "AS2", "REC").index(code) + 1
        country = self._country if code == "AS1" else self._partner
        step = {"position": position, "code": code, "at": at, "country": country, "reasons": "[]"}
        if self.insert("steps", KEEP, transmission_id=transmission_id, **step):
            known = {"reference": reference, "destination": self._partner, "number": 1, "reasons": []}
            self.announce(ADVANCED, certificate_id, position, code=code, country=country, **known)
