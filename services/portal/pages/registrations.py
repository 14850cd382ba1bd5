"""Registrations for officers: those that wait, one with its documents, history and renewal side by side, and the decisions."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from services.portal.forms import flat
from services.portal.navigation import ADMINISTRATORS, AUDITORS, REGISTERING
from services.portal.page import page
from services.portal.pages.confirming import confirm_first
from services.portal.reference_data import is_late
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.messages import Command, FileChunk
from shared.contracts.registry.particulars import DocumentKind, GetRegistrationFile, ListPlaces, Particulars
from shared.contracts.registry.profiles import NameUsers
from shared.contracts.registry.registration_history import GetRegistrationHistory, RegistrationHistory
from shared.contracts.registry.registration_lists import (
    CountRegistrations,
    ListRegistrations,
    RegistrationCounts,
    RegistrationsPage,
)
from shared.contracts.registry.registrations import (
    ApproveRegistration,
    GetRegistration,
    RefuseRegistration,
    RegistrationState,
    RegistrationStatus,
    ReinstateRegistration,
    RenewalStatus,
    ReturnRegistration,
    SuspendRegistration,
)

LIST = f"{PREFIX}/registrations"
READERS = REGISTERING | ADMINISTRATORS | AUDITORS
SHOWN_IN_BROWSER = frozenset({"application/pdf", "image/jpeg", "image/png"})
"""The kinds of files that a browser may show. It stores any other."""
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; sandbox; frame-ancestors 'none'"
"""A document comes from outside: it may run nothing, load nothing, and stand in no other page."""


async def show_registrations(visit: Visit) -> Response:
    """The registrations that wait, or those of one status, or those that were searched."""
    chosen, search, after = visit.query("status"), visit.query("search"), visit.query("after") or None
    status = RegistrationStatus(chosen) if chosen in set(RegistrationStatus) else None
    waiting = status is None and chosen != "all" and not search
    question = visit.form.build(
        ListRegistrations, [], status=status, waiting=waiting, search=search or None, after=after, limit=50
    )
    listed: RegistrationsPage = await visit.ask(question)
    counts: RegistrationCounts = await visit.ask(CountRegistrations())
    rows = [
        (row, row.waiting_since is not None and is_late("registration", row.waiting_since, visit.now))
        for row in listed.registrations
    ]
    words, _ = Wording(visit.language), visit.language.gettext
    tabs = [(_("Waiting"), LIST, counts.waiting)]
    tabs += [
        (words.registration(each)[0], f"{LIST}?status={each}", counts.by_status.get(each, 0)) for each in RegistrationStatus
    ]
    tabs += [(_("All"), f"{LIST}?status=all", sum(counts.by_status.values()))]
    return visit.page(
        "registrations.html",
        rows=rows,
        tabs=tabs,
        here=LIST if waiting else f"{LIST}?status={chosen or 'all'}",
        search=search,
        next=visit.here(after=listed.next) if listed.next else None,
        first=visit.here(after=None) if after else None,
        words=words,
    )


async def show_registration(visit: Visit) -> Response:
    """One registration with its documents, its history, and what a renewal changes."""
    exporter_id = visit.id("exporter_id")
    state: RegistrationState = await visit.ask(GetRegistration(exporter_id=exporter_id))
    before = visit.query("before")
    history: RegistrationHistory = await visit.ask(
        GetRegistrationHistory(exporter_id=exporter_id, before=int(before) if before.isdigit() and before != "0" else None)
    )
    people = {act.user_id for act in history.acts if act.user_id}
    names = (await visit.ask(NameUsers(user_ids=tuple(people)))).names if people else {}
    words = Wording(visit.language)
    renews = state.renewal is not None and state.renewal.status is RenewalStatus.APPLIED
    return visit.page(
        "registration.html",
        state=state,
        words=words,
        lacks=[_lacking(name, words) for name in state.lacks],
        compared=compared(state, words, await _districts(visit, state, words)),
        documents=_documents(state),
        entries=[_entry(act, names, words) for act in history.acts],
        older=visit.here(before=str(history.next)) if history.next else None,
        acts=_acts(visit, state.status, renews),
        renews=renews,
        address=address_of(exporter_id),
    )


def address_of(exporter_id: UUID) -> str:
    """The address of a registration."""
    return f"{LIST}/{exporter_id}"


async def _districts(visit: Visit, state: RegistrationState, words: Wording) -> dict[str, str]:
    """The names of the districts on the page, by their codes."""
    renewed = state.renewal.particulars.district if state.renewal else None
    known = {state.place.district: words.place(state.place)} if state.place else {}
    if renewed and renewed not in known:
        places = (await visit.ask(ListPlaces())).places
        known |= {place.district: words.place(place) for place in places if place.district == renewed}
    return known


def compared(state: RegistrationState, words: Wording, districts: dict[str, str]) -> list[tuple[str, str, str, bool]]:
    """Each particular: its name, the present value, the new one of a renewal, and whether they differ."""

    def shown(given: Particulars | None) -> dict[str, str]:
        values = flat(given) if given else {}
        return values | {"district": districts.get(values.get("district", ""), values.get("district", ""))}

    present = shown(state.particulars)
    new = shown(state.renewal.particulars) if state.renewal else present
    rows = [
        (label, present.get(name, ""), new.get(name, ""), present.get(name) != new.get(name))
        for name, label in particulars(words).items()
    ]
    return [row for row in rows if row[1] or row[2]]


def particulars(words: Wording) -> dict[str, str]:
    """The particulars of a company, by the names of their fields."""
    _ = words.gettext
    return {
        "company_name": _("Company name"),
        "company_name_km": _("Company name in Khmer"),
        "address": _("Address"),
        "address_km": _("Address in Khmer"),
        "district": _("District"),
        "phone": _("Telephone"),
        "contact_email": _("E-mail address"),
        "representative.name": _("Representative"),
        "representative.name_km": _("Representative, in Khmer"),
        "representative.position": _("Position"),
        "representative.born_on": _("Born on"),
    }


def _lacking(name: str, words: Wording) -> str:
    """The name of a particular or document that is missing."""
    kinds = {kind.value: words.document(kind) for kind in DocumentKind}
    return kinds.get(name) or particulars(words).get(name) or particulars(words).get(f"{name}.name", name)


def _documents(state: RegistrationState) -> list[tuple[Any, bool]]:
    """The documents, those of the renewal first. The second value: whether it belongs to the renewal."""
    renewed = [(paper, True) for paper in (state.renewal.papers if state.renewal else ())]
    known = {paper.sha256 for paper, _new in renewed}
    return renewed + [(paper, False) for paper in state.papers if paper.sha256 not in known]


def _entry(act: Any, names: dict[UUID, str], words: Wording) -> dict[str, Any]:
    document = words.document(act.document) if act.document else ""
    who = names.get(act.user_id, "") if act.user_id else words.gettext("by itself")
    return {
        "title": words.registration_act(act.act),
        "text": " ".join(filter(None, (document, act.remarks))),
        "at": act.at,
        "where": " · ".join(filter(None, (who, act.organisation if act.organisation and len(act.organisation) <= 5 else ""))),
        "kind": "",
    }


def _acts(visit: Visit, status: RegistrationStatus, renews: bool) -> frozenset[str]:
    """The acts that the page offers. The service decides whether it accepts them."""
    if not visit.someone.has(*REGISTERING):
        return frozenset()
    offered = {"approve", "return", "refuse"} if renews or status is RegistrationStatus.APPLIED else set()
    if status is RegistrationStatus.ACTIVE:
        offered |= {"suspend"}
    if status is RegistrationStatus.SUSPENDED:
        offered |= {"reinstate"}
    return frozenset(offered)


async def return_(visit: Visit) -> Response:
    """The officer returns the application, with what to correct."""
    exporter_id = visit.id("exporter_id")
    await visit.ask(visit.form.build(ReturnRegistration, ["remarks"], exporter_id=exporter_id))
    return visit.go(address_of(exporter_id), done="returned")


async def approve(visit: Visit) -> Response:
    """The officer registers the company, in the version that was seen. It binds, so it is confirmed first."""
    command = visit.form.build(ApproveRegistration, ["version"], exporter_id=visit.id("exporter_id"))
    return await _confirm(visit, command, "approved")


async def refuse(visit: Visit) -> Response:
    """The officer refuses the application."""
    return await _with_reason(visit, RefuseRegistration, "refused")


async def suspend(visit: Visit) -> Response:
    """The officer suspends the registration."""
    return await _with_reason(visit, SuspendRegistration, "suspended")


async def reinstate(visit: Visit) -> Response:
    """The officer reinstates the registration."""
    return await _with_reason(visit, ReinstateRegistration, "reinstated")


async def _with_reason(visit: Visit, kind: type[Command], done: str) -> Response:
    command = visit.form.build(kind, ["reason"], exporter_id=visit.id("exporter_id"))
    return await _confirm(visit, command, done)


async def _confirm(visit: Visit, command: Any, done: str) -> Response:
    state: RegistrationState = await visit.ask(GetRegistration(exporter_id=command.exporter_id))
    if getattr(command, "version", None) not in (None, state.version):
        visit.form.fail("", visit.language.refusal("registration_changed_meanwhile", {}, "registration_changed_meanwhile"))
        visit.form.must_be_valid()
    about = f"{state.company_name} ({state.tax_number})"
    return await confirm_first(
        visit, [(command, about, address_of(command.exporter_id))], address_of(command.exporter_id), done
    )


async def show_file(visit: Visit) -> Response:
    """One document. It may run nothing in the browser: it came from outside."""
    exporter_id, sha256 = visit.id("exporter_id"), visit.path("sha256")
    question = visit.form.build(GetRegistrationFile, [], owner_id=exporter_id, sha256=sha256)
    first: FileChunk = await visit.ask(question)

    async def chunks() -> AsyncIterator[bytes]:
        sent, chunk = 0, first
        while chunk.chunk:
            yield chunk.chunk
            sent += len(chunk.chunk)
            if sent >= first.size:
                return
            chunk = await visit.ask(question.model_copy(update={"offset": sent}))

    shown = first.media_type in SHOWN_IN_BROWSER
    ending = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}.get(first.media_type, "bin")
    headers = {
        "content-disposition": f'{"inline" if shown else "attachment"}; filename="{sha256[:12]}.{ending}"',
        "content-length": str(first.size),
        "content-security-policy": FILE_POLICY,
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "cross-origin-resource-policy": "same-origin",
    }
    return StreamingResponse(chunks(), media_type=first.media_type if shown else "application/octet-stream", headers=headers)


ONE = "/registrations/{exporter_id:uuid}"

routes = [
    page("/registrations", show_registrations, roles=READERS),
    page(ONE, show_registration, roles=READERS),
    page(f"{ONE}/approve", show_registration, approve, roles=REGISTERING),
    page(f"{ONE}/return", show_registration, return_, roles=REGISTERING),
    page(f"{ONE}/refuse", show_registration, refuse, roles=REGISTERING),
    page(f"{ONE}/suspend", show_registration, suspend, roles=REGISTERING),
    page(f"{ONE}/reinstate", show_registration, reinstate, roles=REGISTERING),
    page(f"{ONE}/files/{{sha256}}", show_file, roles=REGISTERING | AUDITORS),
]
