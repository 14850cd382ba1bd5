"""Fees of the floor of whole lives: assess, pay."""

import hashlib
import json

from bench.floors.process import Body, Commands, dashed, hexed, now

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
            "exporter_id": dashed(exporter_id),
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
