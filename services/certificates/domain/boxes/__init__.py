"""The rules of the boxes of a certificate, each a named check with its source (ATIGA Annex 7 and 8, the Cambodian notice).

Some rules need no check, because the system applies them itself. It numbers the items (box 5) and prints the line of packages
last (box 7). It shows the FOB value only where the notice requires it (box 9), and ticks box 13. Box 4 belongs to customs.
"""

from services.certificates.domain.boxes import criterion, goods, invoices, originals, parties, texts, transport
from services.certificates.domain.boxes.check import Found, Level, run
from services.certificates.domain.boxes.sheet import Sheet
from shared.refusals import refuse_together

CHECKS = tuple(
    sorted(
        (each for part in (parties, texts, transport, goods, criterion, invoices, originals) for each in part.CHECKS),
        key=lambda each: each.box,
    )
)
"""Every check, by box."""

AT_DRAFT = tuple(each for each in CHECKS if each.level is Level.DRAFT)
AT_SUBMIT = tuple(each for each in CHECKS if each.level is not Level.NOTE)


def problems_of(sheet: Sheet) -> list[Found]:
    """All problems and notes of a certificate, by box and item."""
    return run(CHECKS, sheet)


def must_be_storable(sheet: Sheet) -> None:
    """Refuses a draft that cannot be stored. All problems are refused together."""
    refuse_together(each.problem for each in run(AT_DRAFT, sheet))


def must_be_sound(sheet: Sheet) -> None:
    """Refuses a certificate that cannot be submitted. All problems are refused together."""
    refuse_together(each.problem for each in run(AT_SUBMIT, sheet))
