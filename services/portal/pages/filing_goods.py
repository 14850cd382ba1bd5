"""The goods of a certificate that is being filled in: the list of items, one item, and what a copy lacks."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from starlette.responses import Response

from services.portal.drafts import FIELDS_OF_AN_ITEM, ITEM, MORE_INVOICES, TRANSPORT, Draft, box_8
from services.portal.filing_places import address_of
from services.portal.names import Names
from services.portal.pages.filing import (
    THEN,
    filing_page,
    load,
    save_step,
    sent_already,
    show_step,
)
from services.portal.pages.originals import countries
from services.portal.visit import Visit
from shared.contracts.certificates.lists import GetProduct, ListProducts, Products
from shared.contracts.certificates.originals import GetOriginal, OriginalState
from shared.contracts.certificates.products import ProductState, ProductStatus

ITEMS_A_PAGE = 50
COMPLETED_A_PAGE = 20
COMPLETED = (
    "quantity",
    "unit",
    "packages",
    "gross_weight_kg",
    "fob.amount",
    "invoice_number",
    "invoice_date",
    "product_id",
    "manufacturer",
)
"""What is asked of each item of a copy. An invoice for all items is asked once."""


async def approved_products(visit: Visit, search: str = "") -> Products:
    """The first products of the exporter that a certificate may name, by description."""
    question = ListProducts(status=ProductStatus.APPROVED, search=search or None, limit=100)
    found: Products = await visit.ask(question)
    return found


async def show_goods(visit: Visit) -> Response:
    """The items, and what to do with them. A form without items begins with the first one."""
    draft = await load(visit)
    if elsewhere := await sent_already(visit, draft):
        return elsewhere
    if not draft.count:
        return visit.go(address_of(draft.form_id, "goods/1"))
    wrong = {field.split(".")[2] for field, _ in draft.checked(visit.language)[1] if field.startswith(f"{ITEM}.")}
    numbers, following = _page(visit, draft.numbers, ITEMS_A_PAGE)
    return await show_step(visit, "filing_goods.html", draft, "goods", numbers=numbers, following=following, wrong=wrong)


async def change_goods(visit: Visit) -> Response:
    """Adds or removes an item, or goes on."""
    draft = await load(visit)
    if removed := visit.form.text("remove"):
        draft = draft.without_item(_number(removed))
        if answer := await save_step(visit, draft, ()):
            return answer
        return visit.go(address_of(draft.form_id, "goods"), done="item-removed")
    if visit.form.text("add"):
        return visit.go(address_of(draft.form_id, f"goods/{draft.count + 1}"))
    return visit.go(address_of(draft.form_id, "review"))


def _page(visit: Visit, numbers: range, size: int) -> tuple[range, str | None]:
    """The numbers of one page, and the address of the next one."""
    typed = visit.query("page")
    first = (int(typed) - 1) * size if typed.isdigit() and 0 < int(typed) < 1000 else 0
    following = visit.here(page=str(first // size + 2), done=None) if first + size < len(numbers) else None
    return numbers[first : first + size], following


def _number(text: str) -> int:
    """The place of an item, counted from 0; -1 if the text is no number of an item."""
    return int(text) - 1 if text.isdigit() and len(text) < 6 else -1


async def show_item(visit: Visit) -> Response:
    """The form of one item."""
    draft = await load(visit)
    if elsewhere := await sent_already(visit, draft):
        return elsewhere
    number = _number(visit.path("number"))
    if number not in range(draft.count + 1):
        return visit.go(address_of(draft.form_id, "goods"))
    known = draft if number < draft.count else draft.with_item()
    search = visit.form.text("search") or visit.query("search")
    found = await approved_products(visit, search[:200])
    units = Names(visit.language).units()
    return await show_step(
        visit,
        "filing_item.html",
        known,
        "goods",
        number=number,
        products=found.products,
        many=found.next is not None or bool(search),
        search=search,
        units=units,
        box_8=box_8,
        countries=countries(visit),
        original=await original_of(visit, known, number),
        more_invoices=min(len(known.more_invoices(number)) + 2, MORE_INVOICES),
        is_new=number >= draft.count,
    )


async def original_of(visit: Visit, draft: Draft, number: int) -> OriginalState | None:
    """The original that an item names; None if it is not known, or not with this date."""
    named = draft.original(number)
    try:
        issued_on = date.fromisoformat(named.get("issued_on", ""))
        question = GetOriginal(country=named.get("country", ""), reference=named.get("reference", ""), issued_on=issued_on)
    except ValueError:
        return None
    found: OriginalState | None = await visit.ask_or(None, question, "original_not_found")
    return found


async def save_item(visit: Visit) -> Response:
    """Saves one item. The button tells where to go on."""
    number, draft = _number(visit.path("number")), await load(visit)
    if number == draft.count:
        draft = draft.with_item({"unit": ""})
    if number not in draft.numbers:
        return visit.go(address_of(draft.form_id, "goods"))
    fields = [f"{ITEM}.{number}.{name}" for name in FIELDS_OF_AN_ITEM]
    draft = (await with_typed_products(visit, draft, fields, [number])).with_invoices_in_order(number)
    if answer := await save_step(visit, draft, fields):
        return answer
    match visit.form.text(THEN):
        case "find":
            return visit.go(address_of(draft.form_id, f"goods/{number + 1}?search={visit.form.text('search')[:100]}"))
        case "check":
            return visit.go(address_of(draft.form_id, f"goods/{number + 1}") + "#original")
        case "another":
            return visit.go(address_of(draft.form_id, f"goods/{draft.count + 1}"), done="item-saved")
    return visit.go(address_of(draft.form_id, "goods"), done="item-saved")


async def with_typed_products(visit: Visit, draft: Draft, fields: Iterable[str], numbers: Iterable[int]) -> Draft:
    """The form with what was typed in some fields, and with what is known of each product that was chosen."""
    typed = draft.typed(visit.form.fields, fields)
    for number in numbers:
        chosen = typed.of(number, "product_id")
        if chosen == draft.of(number, "product_id"):
            continue
        product = await _product(visit, chosen) if chosen else None
        if product is not None and typed.of(number, "hs_code") == draft.of(number, "hs_code"):
            typed = typed.changed({f"{ITEM}.{number}.hs_code": ""})
        if product is not None or not chosen:
            typed = typed.with_product(number, product)
    return typed


async def _product(visit: Visit, chosen: str) -> ProductState | None:
    try:
        found: ProductState | None = await visit.ask_or(
            None, GetProduct(product_id=UUID(chosen)), "product_not_found", "not_yours"
        )
    except ValueError:
        return None
    return found


async def show_completing(visit: Visit) -> Response:
    """Only what a copy lacks: the departure, the invoice, and the quantities of each item."""
    draft = await load(visit)
    if elsewhere := await sent_already(visit, draft):
        return elsewhere
    numbers, following = _page(visit, draft.numbers, COMPLETED_A_PAGE)
    replaced = [number for number in numbers if draft.about(number, "problem")]
    found = await approved_products(visit) if replaced else Products(products=())
    if draft.count and not visit.form.value("all.invoice_date"):
        visit.form.defaults(
            {"all.invoice_number": draft.of(0, "invoice_number"), "all.invoice_date": draft.of(0, "invoice_date")}
        )
    values: dict[str, Any] = {"numbers": numbers, "following": following, "products": found.products, "box_8": box_8}
    return await show_step(visit, "filing_complete.html", draft, "complete", **values, units=Names(visit.language).units())


async def complete(visit: Visit) -> Response:
    """Saves what the copy lacked. With this it is a form like any other."""
    draft, _ = await load(visit), visit.language.gettext
    if removed := visit.form.text("remove"):
        draft = draft.without_item(_number(removed))
        if answer := await save_step(visit, draft, ()):
            return answer
        return visit.go(address_of(draft.form_id, "complete"), done="item-removed")
    numbers, following = _page(visit, draft.numbers, COMPLETED_A_PAGE)
    fields = [*TRANSPORT, "all.differs", *(f"{ITEM}.{number}.{name}" for number in numbers for name in COMPLETED)]
    draft = await with_typed_products(visit, draft, fields, numbers)
    draft = draft.changed({"all.differs": visit.form.text("all.differs")})
    alike = not visit.form.text("all.differs")
    if alike:
        draft = draft.with_one_invoice(visit.form.text("all.invoice_number"), visit.form.text("all.invoice_date"))
    if answer := await save_step(visit, draft, () if alike else fields, required=True):
        return answer
    if alike:
        _must_be_complete(visit, draft, fields)
    if unresolved := [number for number in draft.problems() if number in numbers]:
        for number in unresolved:
            visit.form.fail(f"{ITEM}.{number}.product_id", _("Choose another product for this item, or remove the item."))
        visit.form.must_be_valid()
    return visit.go(following or address_of(draft.form_id, "review"))


def _must_be_complete(visit: Visit, draft: Draft, fields: list[str]) -> None:
    """Tells the errors of this page. Those of the common invoice stand at its own fields. Raises FormInvalid."""
    for name, sentence in draft.checked(visit.language)[1]:
        last = name.rpartition(".")[2]
        if name.startswith(f"{ITEM}.") and last in ("invoice_number", "invoice_date"):
            visit.form.fail(f"all.{last}", sentence)
        elif name in fields:
            visit.form.fail(name, sentence)
    visit.form.must_be_valid()


routes = [
    filing_page("/goods", show_goods, change_goods),
    filing_page("/goods/{number:int}", show_item, save_item),
    filing_page("/complete", show_completing, complete),
]
