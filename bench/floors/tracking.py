"""Tracking of the floors: it shows the public data."""

import json

from bench.floors.process import KEEP, Body, Process, hexed


class Tracking(Process):
    """Shows the public data."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.events = {
            "evt.certificate-status.changed.v1": self.status,
            "evt.certificate.issued.v1": self.issued,
            "evt.transmission.advanced.v1": self.advanced,
        }

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
