"""The pages of tracking: the same view of a certificate as JSON and as HTML, in English and Khmer."""

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.tracking.store import TrackedCertificate, TrackedStep
from shared.contracts.fields import EARLIEST, LATEST
from shared.contracts.gateway import MAX_REASONS
from shared.settings import Settings

HERE = Path(__file__).parent
EXAMPLE = "D2026-PNH-000123"


class Pages:
    """The HTML pages, their texts and their style sheet."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._codes = _data("codes")
        self._reasons = _data("reasons")
        self._countries = _data("countries")
        self._style = (HERE / "templates" / "style.css").read_text()
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"local": self._local, "country": self._country}
        self.headers = {
            "content-security-policy": (
                f"default-src 'none'; style-src 'sha256-{b64encode(sha256(self._style.encode()).digest()).decode()}'; "
                "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            ),
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
            "cross-origin-opener-policy": "same-origin",
        }

    def view(self, certificate: TrackedCertificate, steps: Sequence[TrackedStep]) -> dict[str, Any]:
        """The public data of a certificate. Instants are ISO 8601 in UTC; `status` is None before the first step."""
        return {
            "reference": certificate.reference,
            "form": certificate.form,
            "destination": certificate.destination,
            "issued_on": certificate.issued_on.isoformat(),
            "valid_until": certificate.valid_until.isoformat(),
            "codes": [step.code for step in steps],
            "status": steps[-1].code if steps else None,
            "steps": [
                {
                    "number": step.number,
                    "code": step.code,
                    "at": step.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                    "country": step.country,
                    "meaning": self._codes[step.code]["meaning"],
                    "next": self._codes[step.code]["next"],
                    "reasons": [{"code": slug, **self._reason(slug)} for slug in step.reasons[:MAX_REASONS]],
                }
                for step in steps
            ],
        }

    def found(self, view: dict[str, Any]) -> str:
        """The page of one certificate."""
        return self._page("found.html", reference=view["reference"], view=view)

    def home(self) -> str:
        """The page with only the search."""
        return self._page("home.html", reference="")

    def problem(self, code: str, reference: str) -> str:
        """The page of a search without a result. `code`: that of the refusal."""
        return self._page("problem.html", reference=reference, code=code)

    def _page(self, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(
            values, codes=self._codes, example=EXAMPLE, style=self._style, zone=self._zone.key
        )

    def _reason(self, slug: str) -> dict[str, str]:
        readable = slug.replace("_", " ").capitalize() + "."
        known: dict[str, str] = self._reasons.get(slug, {"en": readable, "km": readable})
        return known

    def _country(self, code: str) -> dict[str, str]:
        known: dict[str, str] = self._countries.get(code, {"en": code, "km": code})
        return known

    def _local(self, at: str) -> str:
        instant = datetime.fromisoformat(at)
        local = instant.astimezone(self._zone) if EARLIEST <= instant < LATEST else instant
        return f"{local.day} {local:%B %Y, %H:%M:%S}"


def _data(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((HERE / "data" / f"{name}.json").read_text())
    return read


def tools(settings: Settings) -> Iterable[object]:
    """The objects that handlers and routes get with `use`."""
    yield Pages(settings.zone)
