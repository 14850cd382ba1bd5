"""The pages of certificates. Many differ only in a reference and some dates: such pages are rendered once.

A page is rendered with marks in place of these values, and kept. Another certificate of the same shape gets this page, with its
own values in place of the marks.
"""

import re
from collections import OrderedDict
from datetime import datetime
from typing import Any

from markupsafe import escape

from services.tracking.answers import CertificateShown, utc
from services.tracking.data_files import DataFiles
from services.tracking.replies import exactly_in, ready_values
from services.tracking.store import Tracked
from services.tracking.views import certificate_view
from shared.contracts.gateway.transmissions import MAX_REASONS
from shared.web.languages import Language
from shared.web.site import Site

TEMPLATE = "found.html"
MAX_SHAPES = 300
"""Maximum pages with marks that a replica keeps, about 8 KB each."""

BEGIN, END = "\ue000", "\ue001"
"""What surrounds the name of a value in a page with marks: two characters that no text has."""
MARK = re.compile(f"{BEGIN}([a-z0-9]+){END}")

Parts = tuple[list[str], list[str]]
"""A page with marks: the texts between the marks, and the names of the marks."""


def mark(name: object) -> str:
    """A mark in place of a value."""
    return f"{BEGIN}{name}{END}"


class CertificatePages:
    """The pages of this replica, by shape."""

    def __init__(self, data: DataFiles) -> None:
        self._data = data
        self._shapes: OrderedDict[Any, Parts] = OrderedDict()

    def text(
        self, tracked: Tracked, site: Site, language: Language, path: str, query: str, out_since: datetime | None = None
    ) -> str:
        """The page of a certificate. `path`, `query`: its address, to which the choice of the language returns.

        `out_since`: since when its destination is out.
        """
        shape = _shape_of(tracked, language, query), out_since
        parts = self._shapes.get(shape)
        if parts is None:
            parts = self._shapes[shape] = self._rendered(tracked, site, language, query, out_since)
            if len(self._shapes) > MAX_SHAPES:
                self._shapes.popitem(last=False)
        values = _values_of(tracked, language, path, query)
        texts, names = parts
        page = [texts[0]]
        for name, text in zip(names, texts[1:], strict=True):
            page += (values[name], text)
        return "".join(page)

    def _rendered(self, tracked: Tracked, site: Site, language: Language, query: str, out_since: datetime | None) -> Parts:
        marked = _marked(certificate_view(tracked, self._data, out_since))
        own: dict[str, Any] = {
            "day": str,
            "utc": lambda at: mark(f"utc{at}"),
            "exactly": lambda at: mark(f"at{at}"),
        }
        values = ready_values(language, self._data) | own
        address = {"path": mark("path"), "query": mark("query") if query else ""}
        text = site.text(TEMPLATE, language, **values | address | {"view": marked, "reference": marked.reference})
        pieces = MARK.split(text)
        return pieces[::2], pieces[1::2]


def _shape_of(tracked: Tracked, language: Language, query: str) -> Any:
    """Everything that a page depends on except the values that have marks."""
    certificate = tracked.certificate
    office = certificate.reference.split("-")[1]
    steps = tuple((step.number, step.code, step.country, tuple(step.reasons[:MAX_REASONS])) for step in tracked.steps)
    cancelled = tracked.cancellation and (tracked.cancellation.reason, bool(tracked.cancellation.replaced_by))
    return language.code, certificate.form, office, certificate.destination, steps, cancelled, bool(query)


def _marked(view: CertificateShown) -> CertificateShown:
    """The certificate with marks. Its office stays in the reference, because the page says whom to call."""
    numbers = {id(step): number for number, step in enumerate(view.steps)}
    steps = {number: step.model_copy(update={"at": str(number)}) for number, step in enumerate(view.steps)}
    transmissions = tuple(
        each.model_copy(update={"steps": tuple(steps[numbers[id(step)]] for step in each.steps)}) for each in view.transmissions
    )
    office = view.reference.split("-")[1]
    cancelled = view.cancelled and view.cancelled.model_copy(
        update={"at": "cancelled", "replaced_by": view.cancelled.replaced_by and mark("replacedby")}
    )
    return view.model_copy(
        update={
            "reference": f"{mark('first')}-{office}-{mark('last')}",
            "issued_on": mark("issued"),
            "valid_until": mark("valid"),
            "steps": tuple(steps.values()),
            "transmissions": transmissions,
            "cancelled": cancelled,
        }
    )


def _values_of(tracked: Tracked, language: Language, path: str, query: str) -> dict[str, str]:
    """The text of each mark. Dates and times have no character that must be escaped."""
    certificate = tracked.certificate
    first, _, last = certificate.reference.split("-")
    values = {
        "first": first,
        "last": last,
        "issued": language.date(certificate.issued_on),
        "valid": language.date(certificate.valid_until),
        "path": escape(path),
        "query": escape(query),
    }
    if tracked.cancellation:
        values["utccancelled"] = utc(tracked.cancellation.cancelled_at)
        values["atcancelled"] = exactly_in(language, tracked.cancellation.cancelled_at)
        values["replacedby"] = tracked.cancellation.replaced_by or ""
    for number, step in enumerate(tracked.steps):
        values[f"utc{number}"] = utc(step.at)
        values[f"at{number}"] = exactly_in(language, step.at)
    return values
