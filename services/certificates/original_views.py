"""Maps originals from messages, and to answers and documents. Views do not query."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from services.certificates.domain.original import (
    Line,
    Original,
    OriginalLine,
    Use,
    as_quantity,
    id_of,
    in_millionths,
)
from shared.contracts.certificates import documents
from shared.contracts.certificates.originals import EnterOriginal, LineBalance, OriginalState, OriginalUse
from shared.contracts.gateway.originals import ReceivedDocumentChanged


def received_original(event: ReceivedDocumentChanged) -> Original:
    """A document that a member has sent."""
    return Original(
        original_id=id_of(event.country, event.reference),
        country=event.country,
        reference=event.reference,
        issued_on=event.issued_on,
        valid_until=event.valid_until,
        consignee=event.consignee,
        usable=event.usable,
        based_on=sorted({each.country for each in event.based_on}),
        version=event.version,
        lines={
            item.number: Line(
                number=item.number,
                hs_code=item.hs_code[:20],
                description=item.description,
                quantity=in_millionths(item.quantity),
                unit=item.unit[:20],
                denied=item.denied,
            )
            for item in event.items
        },
    )


def entered_original(command: EnterOriginal, *, version: int) -> Original:
    """A paper original as an officer enters it."""
    return Original(
        original_id=id_of(command.country, command.reference),
        country=command.country,
        reference=command.reference,
        issued_on=command.issued_on,
        valid_until=command.valid_until,
        consignee=command.consignee,
        on_paper=True,
        version=version,
        lines={
            line.number: Line(
                number=line.number,
                hs_code=line.hs_code,
                description=line.description,
                quantity=in_millionths(line.quantity),
                unit=line.unit,
            )
            for line in command.lines
        },
    )


def original_state(
    original: Original, uses: Sequence[Use] = (), *, for_officer: bool, only: Collection[int] | None = None
) -> OriginalState:
    """An original with its balance. `only`: the numbers of the lines to show; None for all."""
    return OriginalState(
        original_id=original.original_id,
        country=original.country,
        reference=original.reference,
        issued_on=original.issued_on,
        valid_until=original.valid_until,
        usable=original.usable,
        on_paper=original.on_paper,
        lines=tuple(
            LineBalance(
                number=line.number,
                hs_code=line.hs_code,
                description=line.description,
                quantity=as_quantity(line.quantity),
                unit=line.unit,
                remaining=as_quantity(line.remaining),
                denied=line.denied,
            )
            for number, line in sorted(original.lines.items())
            if only is None or number in only
        ),
        consignee=original.consignee if for_officer else None,
        uses=tuple(
            OriginalUse(
                certificate_id=use.certificate_id,
                item=use.item,
                line=use.line,
                quantity=as_quantity(use.quantity),
                unit=use.unit,
                final=use.final,
            )
            for use in uses
        ),
    )


def states_of(wanted: Iterable[OriginalLine], known: Iterable[Original], *, for_officer: bool) -> tuple[OriginalState, ...]:
    """The originals of a certificate, each once, with the lines that the certificate names.

    An exporter sees only those whose date it has given.
    """
    lines: dict[object, set[int]] = {}
    dates: dict[object, set[object]] = {}
    for each in wanted:
        lines.setdefault(each.original_id, set()).add(each.line)
        dates.setdefault(each.original_id, set()).add(each.issued_on)
    originals = {each.original_id: each for each in known}
    return tuple(
        original_state(original, for_officer=for_officer, only=lines[original_id])
        for original_id, original in originals.items()
        if for_officer or original.issued_on in dates[original_id]
    )


def based_on(original: OriginalLine) -> str:
    """The line of box 7 of a back-to-back item: reference and date of the original (Rule 11)."""
    day = f"{original.issued_on:%Y-%m-%d}"
    return f"Back-to-back: original {original.reference} of {day}, {original.country}, item {original.line}"


def originals_of(wanted: Iterable[OriginalLine]) -> tuple[documents.Original, ...]:
    """The originals of a document, each once, in the order of the items."""
    distinct = dict.fromkeys(replace(each, line=1) for each in wanted)
    return tuple(
        documents.Original(reference=each.reference, country=each.country, issued_on=each.issued_on) for each in distinct
    )
