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
import hashlib
import json
import os
import ssl
import sys
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from bench.floors.exchange import serve
from bench.floors.gateway import ADVANCED, Gateway
from bench.floors.process import KEEP, Body, Process, hexed, now

LINES = json.dumps(
    [
        {
            "text": "Certificate of origin, form D: garments over 2000 PCS",
            "amount_khr": 216000,
            "source": "Joint Prakas 315",
            "text_km": "វិញ្ញាបនបត្របញ្ជាក់ដើមកំណើតទំនិញ ទម្រង់ D៖ សម្លៀកបំពាក់ លើសពី 2000 PCS",
        },
        {
            "text": "Export Management Fee (EMF), abolished from 2018",
            "amount_khr": 0,
            "source": "Joint Announcement 1217",
            "text_km": "ថ្លៃសេវាគ្រប់គ្រងការនាំចេញ (EMF) លុបចោលតាំងពីឆ្នាំ ២០១៨",
        },
    ],
    ensure_ascii=False,
)
STATUS = "evt.certificate-status.changed.v1"


class Commands(Process):
    """A process with commands."""

    def done(self, act: str, command: Body, claims: Body, raw: bytes, answer: Body) -> Body:
        """Stores the answer and the audit entry; returns the answer."""
        identity, session = hexed(command["command_id"]), hexed(claims["sid"])
        self.insert(
            "answers",
            actor=claims["sub"],
            subject=act,
            command_id=identity,
            body_hash=hashlib.sha256(raw).hexdigest(),
            answer=json.dumps(answer, ensure_ascii=False),
            answered_at=now(),
        )
        who = {"actor": claims["sub"], "session": session, "organisation": claims["org"], "roles": " ".join(claims["roles"])}
        about = {"on_noun": "certificate", "on_id": command["certificate_id"]}
        self.insert("trail", at=now(), act=act, command_id=identity, outcome="done", **who, **about)
        return answer


class Certificates(Commands):
    """Submit, review, approve, issue."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.requests = {
            "cmd.certificate.submit.v1": self.submit,
            "cmd.certificate.review.v1": self.review,
            "cmd.certificate.approve.v1": self.approve,
        }
        self.events = {"evt.fee.settled.v1": self.settled}
        self.tasks = {"issue_certificate": self.issue}

    def submit(self, command: Body, claims: Body, raw: bytes) -> Body:
        certificate = self.certificate(command["certificate_id"])
        self.exporter(certificate)
        today = date.today().isoformat()
        certificate |= {"status": "submitted", "submission": 1, "submitted_on": today}
        self.change(certificate, claims, "submit", "submission=1, submitted_on=?", today)
        goods = [
            {name: item[name] for name in ("hs_code", "handicraft", "quantity", "unit")}
            for item in certificate["consignment"]["items"]
        ]
        self.announce(
            "evt.certificate.submitted.v1",
            command["certificate_id"],
            2,
            exporter_id=certificate["exporter_id"],
            agent_id=None,
            office=certificate["office"],
            form="D",
            submission=1,
            submitted_on=today,
            goods=goods,
        )
        return self.done("SubmitCertificate", command, claims, raw, self.state(certificate))

    def review(self, command: Body, claims: Body, raw: bytes) -> Body:
        certificate = self.certificate(command["certificate_id"]) | {"status": "reviewed"}
        values = (command["worksheet"], hexed(claims["sub"]))
        self.change(certificate, claims, "review", "worksheet=?, reviewed_by=?", *values)
        return self.done("ReviewCertificate", command, claims, raw, self.state(certificate))

    def approve(self, command: Body, claims: Body, raw: bytes) -> Body:
        self.insert("used_step_ups", token_id=uuid4().hex, digest=hashlib.sha256(raw).hexdigest(), until=now())
        certificate = self.certificate(command["certificate_id"]) | {"status": "approved"}
        self.change(certificate, claims, "approve", "approved_by=?", hexed(claims["sub"]))
        state = self.state(certificate)
        if state["settled"]:
            self.later("issue_certificate", command["certificate_id"])
        return self.done("ApproveCertificate", command, claims, raw, state)

    def settled(self, event: Body) -> None:
        identity = hexed(event["certificate_id"])
        self.insert("settlements", KEEP, certificate_id=identity, submission=event["submission"])
        waits = self.db.execute("SELECT status='approved' FROM certificates WHERE certificate_id=?", (identity,)).fetchone()
        if waits[0]:
            self.later("issue_certificate", event["certificate_id"])

    async def issue(self, certificate_id: str) -> None:
        with self.transaction() as db:
            certificate = self.certificate(certificate_id)
            exporter = self.exporter(certificate)
            today = date.today()
            until = today.replace(year=today.year + 1).isoformat()
            (serial,) = db.execute(
                "INSERT INTO numbers VALUES (?,'D',?,1) ON CONFLICT DO UPDATE SET last=last+1 RETURNING last",
                (certificate["office"], today.year),
            ).fetchone()
            reference = f"D{today.year}-{certificate['office']}-{serial:06}"
            certificate |= {"status": "issued", "reference": reference, "issued_on": today.isoformat(), "valid_until": until}
            values = "reference=?, issued_on=?, valid_until=?"
            self.change(certificate, None, "issue", values, reference, today.isoformat(), until)
            document = _document(certificate, exporter)
            known = {"exporter_id": certificate["exporter_id"], "agent_id": None}
            self.insert(
                "documents",
                certificate_id=hexed(certificate_id),
                exporter_id=hexed(known["exporter_id"]),
                form="D",
                reference=reference,
                body=json.dumps(document, ensure_ascii=False),
                version=5,
            )
            public = {name: document[name] for name in ("reference", "destination", "issued_on", "valid_until")}
            self.announce("evt.certificate.issued.v1", certificate_id, 5, form="D", **public)
            self.announce("evt.certificate.documented.v1", certificate_id, 5, document=document, **known)
            self.finished("issue_certificate", certificate_id)

    def certificate(self, certificate_id: str) -> Body:
        cursor = self.db.execute("SELECT * FROM certificates WHERE certificate_id=?", (hexed(certificate_id),))
        row = dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))
        known = {"certificate_id": certificate_id, "exporter_id": _dashed(row["exporter_id"])}
        return row | known | {"consignment": json.loads(row["consignment"])}

    def exporter(self, certificate: Body) -> Any:
        joined = "exporters e LEFT JOIN standings s ON s.exporter_id = e.exporter_id WHERE e.exporter_id=?"
        query = f"SELECT name, address, valid_from, valid_until, s.standing FROM {joined}"
        return self.db.execute(query, (hexed(certificate["exporter_id"]),)).fetchone()

    def change(self, certificate: Body, claims: Body | None, act: str, columns: str, *values: object) -> None:
        """Updates the certificate, ends its assignment, writes the act and announces the status."""
        identity = hexed(certificate["certificate_id"])
        certificate["version"] += 1
        self.db.execute(
            f"UPDATE certificates SET {columns}, status=?, status_since=?, version=? WHERE certificate_id=?",
            (*values, certificate["status"], now(), certificate["version"], identity),
        )
        if act in ("review", "approve"):
            self.db.execute("DELETE FROM assignments WHERE certificate_id=?", (identity,))
        user = {"user_id": hexed(claims["sub"]), "organisation": claims["org"]} if claims else {}
        self.insert("certificate_acts", certificate_id=identity, version=certificate["version"], act=act, at=now(), **user)
        public = {name: certificate[name] for name in ("office", "destination", "status")}
        self.announce(STATUS, certificate["certificate_id"], certificate["version"], **public, submission=1)

    def state(self, certificate: Body) -> Body:
        """The answer."""
        key = (hexed(certificate["certificate_id"]), certificate["submission"])
        settled = self.db.execute("SELECT 1 FROM settlements WHERE certificate_id=? AND submission=?", key).fetchone()
        same = ("certificate_id", "exporter_id", "form", "office", "destination", "status", "remarks", "reference")
        state = {name: certificate[name] for name in (*same, "issued_on", "valid_until", "version")}
        others: Body = {"agent_id": None, "agent_name": None, "box_remarks": [], "reasons": [], "issued_retroactively": False}
        shown = {"waits_for": ["approval"], "settled": bool(settled), "fob_disclosed": [True]}
        return state | others | shown


class Fees(Commands):
    """Assess, pay."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.requests = {"cmd.payment.record.v1": self.pay}
        self.events = {"evt.certificate.submitted.v1": self.assess}

    def assess(self, event: Body) -> None:
        identity = hexed(event["certificate_id"])
        self.db.execute("SELECT * FROM invoices WHERE certificate_id=?", (identity,)).fetchone()
        wanted = [hashlib.sha256(f"{identity}{attempt}".encode()).hexdigest()[:10].upper() for attempt in range(8)]
        places = ",".join("?" * len(wanted))
        self.db.execute(f"SELECT payment_reference FROM invoices WHERE payment_reference IN ({places})", wanted).fetchall()
        self.insert(
            "invoices",
            certificate_id=identity,
            exporter_id=hexed(event["exporter_id"]),
            submission=1,
            lines=LINES,
            paid_khr=0,
            settled_submission=0,
            version=1,
            payment_reference=wanted[0],
            assessed_on=event["submitted_on"],
            assessed_at=event["occurred_at"],
        )
        self.announce("evt.invoice.changed.v1", event["certificate_id"], 1, settled=False)

    def pay(self, command: Body, claims: Body, raw: bytes) -> Body:
        identity, amount = hexed(command["certificate_id"]), command["amount_khr"]
        query = "SELECT exporter_id, lines, payment_reference, assessed_on FROM invoices WHERE certificate_id=?"
        exporter_id, lines, reference, assessed_on = self.db.execute(query, (identity,)).fetchone()
        used = self.db.execute("SELECT 1 FROM payments WHERE slip_number=?", (command["slip_number"],)).fetchone()
        assert used is None
        payment = {"slip_number": command["slip_number"], "amount_khr": amount, "paid_on": command["paid_on"]}
        payment |= {"recorded_at": now()}
        self.insert("payments", certificate_id=identity, cashier_id=hexed(claims["sub"]), **payment)
        update = "UPDATE invoices SET paid_khr=?, settled_submission=1, version=2 WHERE certificate_id=?"
        self.db.execute(update, (amount, identity))
        name = self.db.execute("SELECT name FROM exporter_names WHERE exporter_id=?", (exporter_id,)).fetchone()
        self.announce("evt.fee.settled.v1", command["certificate_id"], 2, submission=1)
        self.announce("evt.invoice.changed.v1", command["certificate_id"], 2, settled=True)
        answer = {
            "certificate_id": command["certificate_id"],
            "payment_reference": reference,
            "exporter_id": _dashed(exporter_id),
            "exporter_name": name and name[0],
            "assessed_on": assessed_on,
            "payments": [payment],
            "lines": json.loads(lines),
            "amount_khr": amount,
            "paid_khr": amount,
            "settled": True,
            "version": 2,
        }
        return self.done("RecordPayment", command, claims, raw, answer)


class Tracking(Process):
    """Shows the public data."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.events = {STATUS: self.status, "evt.certificate.issued.v1": self.issued, ADVANCED: self.advanced}

    def status(self, event: Body) -> None:
        key = {"certificate_id": hexed(event["certificate_id"]), "status": event["status"]}
        self.insert("tracked_progress", newer("status"), version=event["version"], **key)
        where = {name: event[name] for name in ("office", "destination", "submission", "version")}
        self.insert("reached_statuses", newer("at"), at=event["occurred_at"], **key, **where)

    def issued(self, event: Body) -> None:
        public = ("reference", "form", "destination", "issued_on", "valid_until", "version")
        row = {name: event[name] for name in public}
        self.insert("tracked_certificates", KEEP, certificate_id=hexed(event["certificate_id"]), **row)

    def advanced(self, event: Body) -> None:
        row = {name: event[name] for name in ("reference", "number", "code", "version")}
        identity, reasons = hexed(event["certificate_id"]), json.dumps(event["reasons"])
        step = {"certificate_id": identity, "country": event["country"], "at": event["occurred_at"], "reasons": reasons}
        self.insert("tracked_steps", KEEP, **row, **step)
        self.insert("tracked_transmissions", newer("code"), destination=event["destination"], **row)


def newer(column: str) -> str:
    """The clause that replaces an older row."""
    return f"ON CONFLICT DO UPDATE SET {column}=excluded.{column}, version=excluded.version WHERE version < excluded.version"


def _document(certificate: Body, exporter: Any) -> Body:
    """The document of an issued certificate, box by box."""
    consignment = certificate["consignment"]
    same = ("marks", "packages", "package_kind", "description", "hs_code", "quantity", "unit", "gross_weight_kg")
    return {
        "reference": certificate["reference"],
        "issuing_country": os.environ["CO_COUNTRY"],
        "office": certificate["office"],
        "issued_on": certificate["issued_on"],
        "valid_until": certificate["valid_until"],
        "exporter": {"name": exporter[0], "address": exporter[1], "country": os.environ["CO_COUNTRY"]},
        "consignee": {"name": consignment["consignee_name"], "address": consignment["consignee_address"], "country": None},
        **{name: consignment[name] for name in ("destination", "departure_date", "vessel", "port_of_discharge")},
        "issued_retroactively": False,
        "items": [
            {
                "number": number,
                **{name: item[name] for name in (*same, "invoice_number", "invoice_date")},
                "criterion": "45%",
                "fob": {"amount": item["fob_amount"], "currency": item["fob_currency"]},
            }
            for number, item in enumerate(consignment["items"], start=1)
        ],
    }


def _dashed(hexadecimal: str) -> str:
    return str(UUID(hexadecimal))


KINDS: dict[str, type[Process]] = {"certificates": Certificates, "fees": Fees, "gateway": Gateway, "tracking": Tracking}


async def main(name: str) -> None:
    """Runs one process until it is ended."""
    process, tls = KINDS[name](name), None

    async def ready(_: bytes) -> bytes:
        return b""

    if certificate := os.environ.get("CO_TLS_CERTIFICATE_FILE"):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, os.environ["CO_TLS_KEY_FILE"])
    answer = process.receive if isinstance(process, Gateway) else ready
    await asyncio.gather(process.run(), serve(int(os.environ["CO_HTTP_PORT"]), tls, answer))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
