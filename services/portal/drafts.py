"""A certificate that is being filled in: the fields of the form by their contract names, before anything is sent.

The form has dense item numbers. What the portal itself remembers stands beside the fields of the contract: `certificate` is the
certificate that is revised, `replaces` the one that is replaced, and `about.N.*` describes the product of item N.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from services.portal.forms import Form, FormInvalid, flat
from shared.contracts.certificates.content import CertificateContent, CertificateCopy
from shared.contracts.certificates.issuing import CertificateState, CertificateStatus, Consignment, DraftCertificate
from shared.contracts.certificates.products import Criterion, ProductState
from shared.web.languages import Language

ITEM = "consignment.items"
MAX_ITEMS = 2_000
MAX_TEXT = 4_000
"""Characters of a field that are saved. Each field of the contract takes fewer."""
GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
SPECIAL = tuple(
    f"consignment.{name}"
    for name in ("third_country_invoice.name", "third_country_invoice.country", "exhibition.name", "exhibition.address")
)
"""What only some certificates have: an invoice of a third country, and an exhibition."""
PARTIES = (
    "form",
    *(f"consignment.{name}" for name in ("office", "destination", "consignee.name", "consignee.address")),
    *SPECIAL,
)
TRANSPORT = tuple(f"consignment.transport.{name}" for name in ("departure_date", "vessel", "port_of_discharge", "route"))
OF_AN_ITEM = (
    "product_id", "hs_code", "marks", "packages", "package_kind", "quantity", "unit", "gross_weight_kg",
    "fob.amount", "fob.currency", "invoice_number", "invoice_date", "manufacturer", "trade_mark",
)  # fmt: skip
OF_AN_ORIGINAL = ("country", "reference", "issued_on", "line")
"""What a back-to-back item says of its original, below `original`."""
MORE_INVOICES = 20
OF_AN_INVOICE = ("number", "date")
FIELDS_OF_AN_ITEM = (
    *OF_AN_ITEM,
    *(f"original.{name}" for name in OF_AN_ORIGINAL),
    *(f"more_invoices.{place}.{name}" for place in range(MORE_INVOICES) for name in OF_AN_INVOICE),
)
ALIKE = ("package_kind", "unit", "fob.currency", "invoice_number", "invoice_date", "manufacturer", "trade_mark")
"""What a new item takes from the one before it."""


STEP_OF_BOX = {1: "consignee", 2: "consignee", 3: "transport", **dict.fromkeys(range(5, 11), "goods"), 12: "consignee"}
"""The step of the form that has a box of Form D."""


def box_8(criterion: Criterion) -> str:
    """An origin criterion in a few characters."""
    return str(criterion.kind) if criterion.percentage is None else f"{criterion.kind} {criterion.percentage.normalize():f}%"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The form of one person. `version`: how often it was saved; 0 before the first time."""

    form_id: UUID
    fields: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    def value(self, name: str) -> str:
        """What stands in a field; empty if nothing does."""
        return self.fields.get(name, "")

    @property
    def certificate_id(self) -> UUID:
        """The certificate of this form: the one that is revised, or a new one whose id follows from the form's."""
        revised = self.value("certificate")
        return UUID(revised) if revised else uuid5(self.form_id, "certificate")

    @property
    def revises(self) -> bool:
        """Whether the form changes a certificate that exists already."""
        return bool(self.value("certificate"))

    @property
    def is_copy(self) -> bool:
        """Whether the form began as a copy that has not been completed yet."""
        return bool(self.value("copy_of"))

    @property
    def replaces(self) -> UUID | None:
        """The issued certificate that this one replaces, if it replaces one."""
        replaced = self.value("replaces")
        return UUID(replaced) if replaced else None

    @property
    def form(self) -> str:
        """The chosen form of certificate."""
        return self.value("form") or str(DraftCertificate.model_fields["form"].default)

    @property
    def count(self) -> int:
        """The number of items."""
        return int(self.value("count") or 0)

    @property
    def numbers(self) -> range:
        """The numbers of the items in the names of fields, from 0."""
        return range(self.count)

    def of(self, number: int, name: str) -> str:
        """What stands in a field of an item."""
        return self.value(f"{ITEM}.{number}.{name}")

    def about(self, number: int, name: str) -> str:
        """What the portal remembers of the product of an item."""
        return self.value(f"about.{number}.{name}")

    def title(self) -> str:
        """The consignee, by whom people recognise a form."""
        return self.value("consignment.consignee.name")

    def changed(self, values: Mapping[str, str]) -> "Draft":
        """The form with other values. An empty value removes a field."""
        merged = {**self.fields, **{name: value.strip() for name, value in values.items()}}
        return replace(self, fields={name: value for name, value in merged.items() if value})

    def typed(self, fields: Mapping[str, list[str]], allowed: Iterable[str]) -> "Draft":
        """The form with what was typed in some of its fields."""
        return self.changed({name: tidy(name, fields[name][0]) for name in allowed if fields.get(name)})

    def with_item(self, values: Mapping[str, str] | None = None) -> "Draft":
        """The form with one more item. Without values it takes from the former one what is usually alike."""
        last, number = self.count - 1, self.count
        if number >= MAX_ITEMS:
            return self
        begun = values or {name: self.of(last, name) for name in ALIKE if last >= 0}
        return self.changed({"count": str(number + 1), **{f"{ITEM}.{number}.{name}": value for name, value in begun.items()}})

    def without_item(self, number: int) -> "Draft":
        """The form without an item. The following items get lower numbers."""
        if number not in self.numbers:
            return self
        kept = {name: value for name, value in self.fields.items() if _item_of(name) is None}
        for each in self.numbers:
            if each == number:
                continue
            place = each - (each > number)
            for prefix in (ITEM, "about"):
                begin = f"{prefix}.{each}."
                kept |= {
                    f"{prefix}.{place}.{name.removeprefix(begin)}": value
                    for name, value in self.fields.items()
                    if name.startswith(begin)
                }
        return replace(self, fields={**kept, "count": str(self.count - 1)})

    def with_product(self, number: int, product: ProductState | None) -> "Draft":
        """The form with the product of an item. An empty HS code becomes that of the product."""
        if product is None:
            return self.changed(dict.fromkeys((f"{ITEM}.{number}.product_id", *_names_about(number)), ""))
        return self.changed(
            {
                f"{ITEM}.{number}.product_id": str(product.product_id),
                f"{ITEM}.{number}.hs_code": self.of(number, "hs_code") or product.hs_code,
                f"about.{number}.description": product.description,
                f"about.{number}.criterion": box_8(product.criterion),
                f"about.{number}.handicraft": "yes" if product.handicraft else "",
                f"about.{number}.problem": "",
            }
        )

    def with_one_invoice(self, invoice_number: str, invoice_date: str) -> "Draft":
        """The form with the same invoice for all items."""
        values = {f"{ITEM}.{number}.invoice_number": invoice_number for number in self.numbers}
        return self.changed(values | {f"{ITEM}.{number}.invoice_date": invoice_date for number in self.numbers})

    def more_invoices(self, number: int) -> list[dict[str, str]]:
        """The further invoices of an item that are typed, in their order."""
        prefix = f"{ITEM}.{number}.more_invoices"
        return [each for place in range(MORE_INVOICES) if (each := self._part(f"{prefix}.{place}", *OF_AN_INVOICE))]

    def with_invoices_in_order(self, number: int) -> "Draft":
        """The form with the further invoices of an item without gaps, as the contract lists them."""
        prefix, typed = f"{ITEM}.{number}.more_invoices", self.more_invoices(number)
        empty = {f"{prefix}.{place}.{name}": "" for place in range(MORE_INVOICES) for name in OF_AN_INVOICE}
        return self.changed(empty | flat(typed, prefix))

    def consignment(self) -> dict[str, Any]:
        """The values of the contract, also where something is missing."""
        items = [
            {
                **{name: self.of(number, name) for name in OF_AN_ITEM if "." not in name and self.of(number, name)},
                "fob": {name: value for name in ("amount", "currency") if (value := self.of(number, f"fob.{name}"))},
                **({"original": original} if (original := self.original(number)) else {}),
                **({"more_invoices": invoices} if (invoices := self.more_invoices(number)) else {}),
            }
            for number in self.numbers
        ]
        return {
            **self._part("consignment", "office", "destination"),
            "consignee": self._part("consignment.consignee", "name", "address"),
            "transport": self._part("consignment.transport", *(name.rpartition(".")[2] for name in TRANSPORT)),
            "items": items,
            **{part: typed for part in ("third_country_invoice", "exhibition") if (typed := self._special(part))},
        }

    def _special(self, part: str) -> dict[str, str]:
        """What is typed of a special case; empty if the certificate does not have it."""
        return self._part(f"consignment.{part}", *(name.rpartition(".")[2] for name in SPECIAL if f".{part}." in name))

    def original(self, number: int) -> dict[str, str]:
        """What is typed of the original that covers an item; empty unless it is back-to-back."""
        return self._part(f"{ITEM}.{number}.original", *OF_AN_ORIGINAL)

    def _part(self, prefix: str, *names: str) -> dict[str, str]:
        return {name: value for name in names if (value := self.value(f"{prefix}.{name}"))}

    def checked(self, language: Language) -> tuple[Consignment | None, list[tuple[str, str]]]:
        """The consignment if nothing is missing or wrong; otherwise the fields with the reasons."""
        form = Form(language)
        try:
            ids = {"certificate_id": self.certificate_id, "exporter_id": self.certificate_id}
            values = {"consignment": self.consignment(), "form": self.form, "command_id": self.form_id}
            found = form.build(DraftCertificate, [], **values, **ids).consignment
        except FormInvalid:
            return None, [each for each in form.errors if each[0] != ITEM or not self.count]  # wrong items do not count
        return found, []

    def remarks(self, step: str, number: int | None = None) -> list[tuple[str, str]]:
        """What an officer asked to correct on a step, or in an item: the number of the box and the text."""
        kept = self.value(f"remarks.{step}") if number is None else self.about(number, "remarks")
        return [(box, text) for box, _, text in (line.partition(" ") for line in kept.splitlines())]

    def problems(self) -> list[int]:
        """The numbers of the items whose product cannot be used any more."""
        return [number for number in self.numbers if self.about(number, "problem")]


def tidy(name: str, value: str) -> str:
    """A typed value without what people add to codes and amounts, such as 1006.30.40 and 18,500.00."""
    value, last = value.strip()[:MAX_TEXT], name.rpartition(".")[2]
    if last in ("unit", "currency"):
        return value.upper()
    if last == "hs_code":
        return re.sub(r"[ .]", "", value)
    if last in ("amount", "quantity", "gross_weight_kg", "packages") and GROUPED.fullmatch(value):
        return value.replace(",", "")
    return value


def _item_of(name: str) -> int | None:
    for prefix in (f"{ITEM}.", "about."):
        if name.startswith(prefix):
            number = name.removeprefix(prefix).partition(".")[0]
            return int(number) if number.isdigit() else None
    return None


def _names_about(number: int) -> list[str]:
    return [f"about.{number}.{name}" for name in ("description", "criterion", "handicraft", "problem")]


def copied(form_id: UUID, copy: CertificateCopy, handicraft: Iterable[bool] = ()) -> Draft:
    """The form of a copy: parties, transport, items and criteria; no dates and no invoices."""
    transport = {"vessel": copy.vessel, "port_of_discharge": copy.port_of_discharge, "route": copy.route}
    head = flat(
        {
            "copy_of": copy.copy_of,
            "form": copy.form,
            "problems": " ".join(copy.problems),
            "consignment": {
                "office": copy.office,
                "destination": copy.destination,
                "consignee": copy.consignee,
                "transport": transport,
                "third_country_invoice": copy.third_country_invoice,
                "exhibition": copy.exhibition,
            },
        }
    )
    draft = Draft(form_id=form_id).changed(head)
    flags = [*handicraft, *([False] * len(copy.items))]
    fields = dict(draft.fields)
    for number, item in enumerate(copy.items):
        values = item.model_dump(mode="json", exclude={"description", "criterion", "problem"})
        fields |= flat(values, f"{ITEM}.{number}")
        fields |= _about(number, item.description, box_8(item.criterion), flags[number], item.problem)
    return replace(draft, fields={**fields, "count": str(len(copy.items))})


def revised(form_id: UUID, content: CertificateContent) -> Draft:
    """The form that revises a certificate."""
    former = content.state.replaces
    fields = {
        "replaces_reference": (former.reference or "") if former else "",
        "certificate": str(content.state.certificate_id),
        "form": content.state.form,
        "certificate_version": str(content.state.version),
        "count": str(len(content.items)),
        **flat({"consignment": content.consignment}),
    }
    for number, item in enumerate(content.items):
        refused = "product_refused" if item.product_status == "refused" else None
        fields |= _about(number, item.description, item.box_8, item.handicraft, refused)
    return _with_remarks(Draft(form_id=form_id, fields=fields), content.state)


def _with_remarks(draft: Draft, state: CertificateState) -> Draft:
    """The form with what to correct, kept beside the step or the item where it is corrected."""
    fields = dict(draft.fields)
    for each in state.box_remarks if state.status is CertificateStatus.RETURNED else ():
        number = (each.item or 0) - 1
        name = f"about.{number}.remarks" if number in draft.numbers else f"remarks.{STEP_OF_BOX.get(each.box, 'review')}"
        fields[name] = "\n".join(filter(None, (fields.get(name), f"{each.box} {' '.join(each.text.split())}")))
    return replace(draft, fields=fields)


def _about(number: int, description: str, criterion: str, handicraft: bool, problem: str | None) -> dict[str, str]:
    values = {"description": description, "criterion": criterion, "handicraft": "yes" if handicraft else "", "problem": problem}
    return {f"about.{number}.{name}": value for name, value in values.items() if value}
