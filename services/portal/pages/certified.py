"""The register of certified exporters: who may declare origin without a certificate, for what, and who signs."""

from uuid import UUID

from starlette.responses import Response

from services.portal.forms import FormInvalid
from services.portal.navigation import AUDITORS, COMPANY, DECIDING
from services.portal.page import page
from services.portal.pages.confirming import confirm_first
from services.portal.settings import PREFIX
from services.portal.visit import NotForYou, Visit
from services.portal.wording import Tag
from shared.contracts.certificates.lists import ListProducts, Products
from shared.contracts.certificates.products import ProductStatus
from shared.contracts.certificates.self_certification import (
    CertifiedExporters,
    CertifiedExporterState,
    CertifiedStatus,
    ChangeCertifiedExporter,
    FoundExporters,
    GetCertifiedExporter,
    GrantCertifiedExporter,
    ListCertifiedExporters,
    ReinstateCertifiedExporter,
    SearchExporters,
    SuspendCertifiedExporter,
    WithdrawCertifiedExporter,
)
from shared.contracts.fields import Cursor, Line
from shared.contracts.messages import Command
from shared.contracts.roles import Role
from shared.web.languages import Language

LIST = f"{PREFIX}/certified-exporters"
READERS = DECIDING | AUDITORS
CHANGING = frozenset({Role.APPROVER})
ACTS: dict[str, type[Command]] = {
    "suspend": SuspendCertifiedExporter,
    "reinstate": ReinstateCertifiedExporter,
    "withdraw": WithdrawCertifiedExporter,
}
NOT_FOUND = "certified_exporter_not_found"


def words_of(language: Language) -> dict[CertifiedStatus, Tag]:
    """What each status is called."""
    _ = language.gettext
    return {
        CertifiedStatus.GRANTED: (_("In force"), "good"),
        CertifiedStatus.SUSPENDED: (_("Suspended"), "bad"),
        CertifiedStatus.WITHDRAWN: (_("Withdrawn"), "still"),
    }


async def show_register(visit: Visit) -> Response:
    """The certified exporters, and the companies that a search finds."""
    chosen, search = visit.query("status"), visit.filter("search", Line)
    status = CertifiedStatus(chosen) if chosen in set(CertifiedStatus) else None
    listed: CertifiedExporters = await visit.ask(ListCertifiedExporters(status=status, after=visit.filter("after", Cursor)))
    found: FoundExporters | None = await visit.ask(SearchExporters(search=search[:100])) if search else None
    words = words_of(visit.language)
    return visit.page(
        "certified/list.html",
        listed=listed.exporters,
        next=visit.here(after=listed.next, done=None) if listed.next else None,
        found=found.exporters if found else None,
        words=words,
        states=[
            (visit.language.gettext("All"), LIST, None),
            *((words[each][0], f"{LIST}?status={each}", None) for each in CertifiedStatus),
        ],
        current=f"{LIST}?status={status}" if status else LIST,
    )


async def show_exporter(visit: Visit) -> Response:
    """One exporter with signatories, products and acts; for an approver the forms to certify or to change it."""
    exporter_id = visit.id("exporter_id")
    if visit.someone.has(*COMPANY) and exporter_id != visit.company:
        raise NotForYou
    state: CertifiedExporterState | None = await visit.ask_or(None, GetCertifiedExporter(exporter_id=exporter_id), NOT_FOUND)
    if state is None and visit.someone.has(*COMPANY):
        raise NotForYou
    current = state if state and state.status is not CertifiedStatus.WITHDRAWN else None
    products: Products = await visit.ask(ListProducts(exporter_id=exporter_id, status=ProductStatus.APPROVED, limit=100))
    if current:
        people = [f"{each.name}; {each.position}" for each in current.signatories if each.until is None]
        visit.form.defaults({"valid_until": current.valid_until.isoformat(), "people": "\n".join(people)})
    certified = {str(each.product_id) for each in current.products if each.until is None} if current else set()
    name = state.name if state else await _name_of(visit, exporter_id)
    return visit.page(
        "certified/exporter.html",
        state=state,
        name=name,
        current=current,
        products=products.products,
        chosen=set(visit.form.texts("product_ids")) or certified,
        words=words_of(visit.language),
        acts=act_words(visit.language),
        here=f"{LIST}/{exporter_id}",
        may_change=visit.someone.has(*CHANGING),
        of_company=visit.someone.has(*COMPANY),
    )


async def _name_of(visit: Visit, exporter_id: UUID) -> str:
    """The name of a registered exporter; empty if there is none."""
    found: FoundExporters = await visit.ask(SearchExporters(exporter_id=exporter_id))
    return found.exporters[0].name if found.exporters else ""


def act_words(language: Language) -> dict[str, str]:
    """What each act is called in the history."""
    _ = language.gettext
    return {
        "grant": _("Certified"),
        "change": _("Changed"),
        "suspend": _("Suspended"),
        "reinstate": _("Reinstated"),
        "withdraw": _("Withdrawn"),
    }


async def set_content(visit: Visit) -> Response:
    """Certifies the exporter, or changes what is certified. The approver confirms it."""
    exporter_id, form = visit.id("exporter_id"), visit.form
    state: CertifiedExporterState | None = await visit.ask_or(None, GetCertifiedExporter(exporter_id=exporter_id), NOT_FOUND)
    is_new = state is None or state.status is CertifiedStatus.WITHDRAWN
    kind = GrantCertifiedExporter if is_new else ChangeCertifiedExporter
    people = [signatory_of(line) for line in form.text("people").splitlines() if line.strip()]
    try:
        names = ["valid_until", "reason"]
        command = form.build(kind, names, exporter_id=exporter_id, signatories=people, product_ids=form.texts("product_ids"))
    except FormInvalid:
        form.errors = [("people" if name.startswith("signatories") else name, text) for name, text in form.errors]
        raise
    return await _confirm(visit, command, "granted" if is_new else "changed", state)


def signatory_of(line: str) -> dict[str, str]:
    """The values of one line: name; position."""
    name, _, position = line.partition(";")
    return {"name": name.strip(), "position": position.strip()}


async def act(visit: Visit) -> Response:
    """Suspends, reinstates or withdraws, with a reason. The approver confirms it."""
    exporter_id, wanted = visit.id("exporter_id"), visit.form.text("act")
    state: CertifiedExporterState = await visit.ask(GetCertifiedExporter(exporter_id=exporter_id))
    if wanted not in ACTS:
        visit.form.fail("act", visit.language.gettext("Choose what to do."))
        visit.form.must_be_valid()
    values = {"exporter_id": exporter_id, "reason": visit.form.text("act_reason")}
    try:
        command = visit.form.build(ACTS[wanted], [], **values)
    except FormInvalid:
        visit.form.errors = [("act_reason" if name == "reason" else name, text) for name, text in visit.form.errors]
        raise
    return await _confirm(visit, command, wanted, state)


async def _confirm(visit: Visit, command: Command, done: str, state: CertifiedExporterState | None) -> Response:
    exporter_id: UUID = visit.id("exporter_id")
    about = f"{state.name} ({state.code})" if state else await _name_of(visit, exporter_id)
    here = f"{LIST}/{exporter_id}"
    return await confirm_first(visit, [(command, about, here)], here, done)


routes = [
    page("/certified-exporters", show_register, roles=READERS),
    page("/certified-exporters/{exporter_id:uuid}", show_exporter, roles=READERS | COMPANY),
    page("/certified-exporters/{exporter_id:uuid}/content", show_exporter, set_content, roles=CHANGING),
    page("/certified-exporters/{exporter_id:uuid}/act", show_exporter, act, roles=CHANGING),
]
