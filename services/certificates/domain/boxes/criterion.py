"""Box 8: the origin criterion."""

from collections.abc import Iterable, Iterator

from services.certificates.domain.boxes.check import Level, check, refusal_of
from services.certificates.domain.boxes.sheet import Sheet, field_of
from services.certificates.domain.form import Criterion, Form
from shared.refusals import Refused, refuse_together


def must_be_claimable(criterion: Criterion, forms: Iterable[Form]) -> None:
    """Refuses a criterion for a product if it serves none of the forms, or none of those that have a threshold for it.

    The problem is that of the first form.
    """
    every = list(forms)
    strict = [form for form in every if criterion.kind in form.thresholds] or every
    name = "criterion.kind" if criterion.percentage is None else "criterion.percentage"
    found = [list(refusal_of(form.must_know, criterion, name)) for form in strict]
    if all(found):
        refuse_together(found[0] if found else ())


@check(box=8, source="ATIGA Annex 7, overleaf notes, box 8; ATIGA Article 28(1)", level=Level.DRAFT)
def criterion_is_in_the_form(sheet: Sheet) -> Iterator[Refused]:
    """Box 8 has one of the criteria of the form, and the regional value content is at least that of the form, unrounded."""
    for number, item in sheet.content.items.items():
        if item.product_id in sheet.products:
            yield from refusal_of(sheet.form.must_know, item.criterion, field_of(number, "product_id"))


CHECKS = (criterion_is_in_the_form,)
