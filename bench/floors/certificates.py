"""Certificates of the floor of whole lives: submit, review, approve, issue."""

import hashlib
import json
import os
from datetime import date
from typing import Any
from uuid import uuid4

from bench.floors.process import KEEP, Body, Commands, dashed, hexed, now


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
        known = {"certificate_id": certificate_id, "exporter_id": dashed(row["exporter_id"])}
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
        self.announce(
            "evt.certificate-status.changed.v1", certificate["certificate_id"], certificate["version"], **public, submission=1
        )

    def state(self, certificate: Body) -> Body:
        """The answer."""
        key = (hexed(certificate["certificate_id"]), certificate["submission"])
        settled = self.db.execute("SELECT 1 FROM settlements WHERE certificate_id=? AND submission=?", key).fetchone()
        same = ("certificate_id", "exporter_id", "form", "office", "destination", "status", "remarks", "reference")
        state = {name: certificate[name] for name in (*same, "issued_on", "valid_until", "version")}
        others: Body = {"agent_id": None, "agent_name": None, "box_remarks": [], "reasons": [], "issued_retroactively": False}
        shown = {"waits_for": ["approval"], "settled": bool(settled), "fob_disclosed": [True]}
        return state | others | shown


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
