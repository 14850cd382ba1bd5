"""Import of drafts from a file: first a report in which nothing is done, then each certificate is drafted by itself."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from starlette.responses import Response

from services.portal.draft_files import COLUMNS, EXAMPLE, MAX_BYTES, Planned, Row, as_csv, plan, rows_of
from services.portal.forms import FormInvalid
from services.portal.navigation import FILING
from services.portal.page import page
from services.portal.settings import PREFIX
from services.portal.visit import NotForYou, Visit
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.certificates.issuing import CertificateState, DraftCertificate
from shared.contracts.certificates.lists import ListProducts, Products
from shared.contracts.certificates.products import ProductState, ProductStatus
from shared.refusals import Refused
from shared.web.site import HEADERS

IMPORT = f"{PREFIX}/certificates/import"
MAX_PRODUCT_PAGES = 20
SHOWN_A_PAGE = 50
PATIENCE = 20.0
"""Seconds of drafting in one request. What is left then is drafted by the next click."""
TAKEN = "certificate_id_taken"


async def show_import(visit: Visit) -> Response:
    """The form for a file, and how such a file looks."""
    return visit.page("import.html", columns=list(COLUMNS), example=EXAMPLE)


async def read_file(visit: Visit) -> Response:
    """Reads a file and keeps its rows for the report. The same file is the same import."""
    _, file = visit.language.gettext, visit.form.files.get("file")
    if file is None:
        visit.form.fail("file", _("Choose a file."))
        raise FormInvalid
    content = await file.read(MAX_BYTES + 1)
    try:
        rows = rows_of(content)
    except Refused as refused:
        visit.form.fail("file", refused.sentence(visit.language.code))
        raise FormInvalid from None
    import_id = uuid5(visit.company, sha256(content).hexdigest())
    kept = {"rows": [json.dumps([row.number, dict(row.cells)]) for row in rows], "name": [(file.filename or "")[:100]]}
    await visit.saved.save(visit.someone.user_id, _kept_at(_address(import_id)), json.dumps(kept), visit.now)
    return visit.go(_address(import_id))


def _address(import_id: UUID) -> str:
    return f"{IMPORT}/{import_id}"


def _kept_at(address: str) -> str:
    """Where the rows are kept. A form that was sent is deleted, so they cannot stand at the address of the page."""
    return f"{address}/rows"


@dataclass(frozen=True)
class Import:
    """A file that was read: its certificates, and what has become of each, by its key."""

    address: str
    name: str
    planned: list[Planned]
    outcomes: dict[str, dict[str, str]]
    fields: dict[str, list[str]]

    @property
    def sound(self) -> list[Planned]:
        """The certificates that can be drafted."""
        return [each for each in self.planned if each.consignment]

    @property
    def open(self) -> list[Planned]:
        """The certificates that can be drafted and are not yet."""
        return [each for each in self.sound if each.key not in self.outcomes]


async def load_import(visit: Visit) -> Import | None:
    """The file of the page, checked against the products of today; None if it is not there any more."""
    address = _address(visit.id("import_id"))
    saved = await visit.saved.find(visit.someone.user_id, _kept_at(address))
    if saved is None:
        return None
    rows = [Row(number=number, cells=cells) for number, cells in map(json.loads, saved.fields.get("rows", []))]
    planned = plan(rows, await _products(visit), visit.language)
    outcomes = {key: json.loads(values[0]) for key, values in saved.fields.items() if key.startswith("outcome ") and values}
    by_key = {key.removeprefix("outcome "): outcome for key, outcome in outcomes.items()}
    return Import(address, (saved.fields.get("name") or [""])[0], planned, by_key, saved.fields)


async def _products(visit: Visit) -> list[ProductState]:
    """The approved products of the company; the first 2,000 by description."""
    found: list[ProductState] = []
    after: str | None = None
    for _ in range(MAX_PRODUCT_PAGES):
        answer: Products = await visit.ask(ListProducts(status=ProductStatus.APPROVED, limit=100, after=after))
        found += answer.products
        if (after := answer.next) is None:
            break
    return found


async def show_report(visit: Visit) -> Response:
    """What is right and wrong in a file, or what has become of it. Wrong rows come first."""
    found = await load_import(visit)
    if found is None:
        return visit.go(IMPORT)
    wrong = [each for each in found.planned if each.errors or found.outcomes.get(each.key, {}).get("refused")]
    ordered = [*wrong, *(each for each in found.planned if each not in wrong)]
    typed = visit.query("page")
    first = (int(typed) - 1) * SHOWN_A_PAGE if typed.isdigit() and 0 < int(typed) < 1000 else 0
    last = first + SHOWN_A_PAGE
    return visit.page(
        "import_report.html",
        found=found,
        shown=ordered[first:last],
        following=visit.here(page=str(first // SHOWN_A_PAGE + 2), done=None) if last < len(ordered) else None,
        wrong=len([each for each in found.planned if each.errors]),
        drafted=len([each for each in found.outcomes.values() if each.get("certificate")]),
        refused=len([each for each in found.outcomes.values() if each.get("refused")]),
    )


async def draft_all(visit: Visit) -> Response:
    """Drafts the certificates that are right. Each has its own id, so drafting again does not double it."""
    found = await load_import(visit)
    if found is None:
        return visit.go(IMPORT)
    begun = visit.now
    for each in found.open:
        outcome = await _draft(visit, each)
        if outcome is None or (visit.now - begun).total_seconds() > PATIENCE:
            break
        found.outcomes[each.key] = outcome
    kept = found.fields | {f"outcome {key}": [json.dumps(outcome)] for key, outcome in found.outcomes.items()}
    await visit.saved.save(visit.someone.user_id, _kept_at(found.address), json.dumps(kept), visit.now)
    return visit.go(found.address, done="drafted")


async def _draft(visit: Visit, planned: Planned) -> dict[str, str] | None:
    """Drafts one certificate; returns what has become of it, or None if nobody answers."""
    exporter_id = visit.company
    certificate_id = planned.certificate_id(exporter_id)
    assert planned.consignment is not None
    content = sha256(planned.consignment.model_dump_json().encode()).hexdigest()
    command = DraftCertificate(
        command_id=uuid5(certificate_id, content),
        certificate_id=certificate_id,
        exporter_id=exporter_id,
        consignment=planned.consignment,
    )
    try:
        state: CertificateState = await visit.ask(command)
    except AskRefused as refused:
        refusal = refused.refusal
        outcome = {"refused": visit.language.refusal(refusal.code, refusal.values, refusal.detail)}
        return outcome | ({"existing": str(certificate_id)} if refusal.code == TAKEN else {})
    except (NobodyAnswers, TimeoutError):
        return None
    return {"certificate": str(state.certificate_id)}


def _download(name: str, content: bytes) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=HEADERS | headers)


async def download_template(visit: Visit) -> Response:
    """A file with the columns and one example."""
    return _download("certificates.csv", as_csv([list(COLUMNS), EXAMPLE]))


async def download_report(visit: Visit) -> Response:
    """The report as a file. Its cells are texts, also for a spreadsheet."""
    _, found = visit.language.gettext, await load_import(visit)
    if found is None:
        raise NotForYou
    lines: list[list[str]] = [[_("Row"), _("Certificate"), _("Outcome"), _("Reason")]]
    for each in found.planned:
        outcome: dict[str, Any] = found.outcomes.get(each.key, {})
        for number, sentence in each.errors:
            lines.append([str(number), each.key, _("wrong"), sentence])
        if not each.errors:
            word = _("drafted") if outcome.get("certificate") else _("refused") if outcome else _("ready")
            lines.append([str(each.rows[0].number), each.key, word, outcome.get("refused", "")])
    return _download("report.csv", as_csv(lines))


routes = [
    page("/certificates/import", show_import, read_file, roles=FILING),
    page("/certificates/import/template.csv", download_template, roles=FILING),
    page("/certificates/import/{import_id:uuid}", show_report, draft_all, roles=FILING),
    page("/certificates/import/{import_id:uuid}/report.csv", download_report, roles=FILING),
]
