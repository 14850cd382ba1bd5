"""Notices of an outage: an exporter prints one for its buyer while the partner is out, and officers read the register."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from services.portal.names import Names
from services.portal.navigation import ADMINISTRATORS, AUDITORS, DECIDING, FILING
from services.portal.page import page
from services.portal.pages.certificate import certificate_page, people_named
from services.portal.pages.second_factor import qr_of
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.fields import Cursor
from shared.contracts.gateway.outages import (
    Contingencies,
    ContingencyState,
    GetContingency,
    IssueContingency,
    ListContingencies,
)
from shared.web.languages import Language

ISSUING = FILING | DECIDING
READERS = DECIDING | ADMINISTRATORS | AUDITORS
TEXTS = Path(__file__).parents[1] / "data" / "notice.json"
LANGUAGES = ("en", "km")
"""The languages of a notice. It has both: the buyer reads one of them."""


@cache
def texts() -> dict[str, Any]:
    """The texts of a notice, in both languages."""
    read: dict[str, Any] = json.loads(TEXTS.read_text(encoding="utf-8"))
    return read


async def issue_notice(visit: Visit) -> Response:
    """The exporter gets the notice. A second request shows the same one."""
    await visit.ask(visit.form.build(IssueContingency, [], certificate_id=visit.id("certificate_id")))
    return visit.go(f"{PREFIX}/certificates/{visit.id('certificate_id')}/notice")


async def show_notice(visit: Visit) -> Response:
    """The notice, to be printed."""
    notice: ContingencyState = await visit.ask(GetContingency(certificate_id=visit.id("certificate_id")))
    address = f"{visit.settings.public_address or str(visit.request.base_url).rstrip('/')}/notices"
    return visit.page(
        "notice.html",
        notice=notice,
        parts=[part_of(notice, visit, code, address) for code in LANGUAGES],
        qr=qr_of(f"{address}?token={quote(notice.token)}"),
        back=f"{PREFIX}/certificates/{notice.certificate_id}",
    )


def part_of(notice: ContingencyState, visit: Visit, code: str, address: str) -> dict[str, Any]:
    """The notice in one language."""
    language, words = visit.site.languages.all[code], texts()
    country = Names(language).country(notice.destination)
    values = {
        "number": notice.number,
        "certificate": notice.reference,
        "destination": f"{country} ({notice.destination})",
        "out_since": abroad(notice.out_since, language),
        "issued_at": abroad(notice.issued_at, language),
    }
    return {
        "code": code,
        "title": words["title"][code],
        "issuer": words["issuer"][code],
        "facts": [(words["facts"][name][code], value) for name, value in values.items()],
        "sentences": [each[code] for each in words["sentences"]],
        "check": words["check"][code].format(address=address),
        "signature": words["signature"][code],
    }


def abroad(at: datetime, language: Language) -> str:
    """An instant for a reader in another country: with the difference to UTC."""
    offset = f"{at.astimezone(language.zone):%z}"
    return f"{language.instant(at)} (UTC{offset[:3]}:{offset[3:]})"


async def show_register(visit: Visit) -> Response:
    """The register of notices and prints."""
    only_open = visit.query("show") != "all"
    question = ListContingencies(open=only_open, after=visit.filter("after", Cursor), limit=50)
    listed: Contingencies = await visit.ask(question)
    return visit.page(
        "contingencies.html",
        rows=listed.contingencies,
        people=await people_named(visit, [each.issued_by for each in listed.contingencies]),
        open=only_open,
        words=Wording(visit.language),
        next=visit.here(after=listed.next) if listed.next else None,
        first=visit.here(after=None) if visit.query("after") else None,
        address=f"{PREFIX}/contingencies",
    )


routes = [
    certificate_page("/notice", show_notice),
    certificate_page("/notice/issue", show_notice, issue_notice, roles=ISSUING),
    page("/contingencies", show_register, roles=READERS),
]
