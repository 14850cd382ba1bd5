"""A back-to-back certificate reserves the quantities of its originals at submission, and uses them up at issue."""

from services.certificates.domain.certificate import Certificate
from services.certificates.domain.life_cycle import IN_PROCESS, Status
from services.certificates.domain.original import (
    Original,
    OriginalExceeded,
    OriginalNotFound,
    Use,
    as_quantity,
    borrowing,
    in_millionths,
)
from services.certificates.store import originals as store
from shared.handling.work import Work

HOLDING = IN_PROCESS | {Status.ISSUED}
"""The statuses in which a certificate has taken quantities of its originals."""


async def reserve_originals(certificate: Certificate, work: Work) -> None:
    """Takes the quantities of a submitted certificate from its originals.

    Raises OriginalNotFound, OriginalNotUsable, OriginalExpired, OriginalCircular, OriginalLineUnknown, OriginalLineDenied,
    OriginalUnitDiffers, OriginalExceeded.
    """
    uses = []
    known = await known_originals(certificate, work)
    for number, wanted in certificate.consignment.originals.items():
        item, name = certificate.consignment.items[number - 1], f"consignment.items.{number - 1}"
        original = known.get(number)
        if original is None or original.issued_on != wanted.issued_on:
            raise OriginalNotFound(f"{name}.original.reference")
        original.must_be_valid(work.today, f"{name}.original.reference")
        countries = (work.country, certificate.consignment.destination)
        original.must_not_return_to(countries, f"{name}.original.reference")
        line = original.line_for(wanted.line, item.unit, name)
        quantity = in_millionths(item.quantity)
        uses.append(
            Use(
                certificate_id=certificate.certificate_id,
                item=number,
                original_id=original.original_id,
                line=line.number,
                quantity=quantity,
                unit=line.unit,
            )
        )
    if not uses:
        return
    if certificate.replaces_id:
        uses = borrowing(uses, await store.uses_by(work, certificate.replaces_id))
    if short := await store.take(work, uses):
        left = as_quantity(await store.remaining_of(work, short) + short.borrowed)
        fields = f"consignment.items.{short.item - 1}.quantity"
        raise OriginalExceeded(fields, remaining=left, unit=short.unit, item=short.item)


async def known_originals(certificate: Certificate, work: Work) -> dict[int, Original]:
    """The originals of a certificate that are known, by the number of the item."""
    wanted = certificate.consignment.originals
    if not wanted:
        return {}
    found = await store.originals_by_ids(work, {each.original_id for each in wanted.values()})
    return {number: found[each.original_id] for number, each in wanted.items() if each.original_id in found}


async def valid_originals(certificate: Certificate, work: Work) -> list[Original]:
    """The originals of a certificate that is issued today. Raises OriginalNotUsable, OriginalExpired."""
    found = {each.original_id: each for each in (await known_originals(certificate, work)).values()}
    for original in found.values():
        original.must_be_valid(work.today, "certificate_id")
    return list(found.values())


async def release_originals(certificate: Certificate, work: Work) -> None:
    """Releases what a certificate has taken if it has ended, or was returned to its exporter."""
    if certificate.consignment.originals and certificate.status not in HOLDING:
        await store.release(work, certificate.certificate_id)


async def restore_uses(certificate: Certificate, work: Work) -> None:
    """Recovery: the certificate was issued after the backup, so what it has taken is taken again, whatever remains."""
    uses = [
        Use(
            certificate_id=certificate.certificate_id,
            item=number,
            original_id=wanted.original_id,
            line=wanted.line,
            quantity=in_millionths(certificate.consignment.items[number - 1].quantity),
            unit=certificate.consignment.items[number - 1].unit,
            final=True,
        )
        for number, wanted in certificate.consignment.originals.items()
    ]
    await store.release(work, certificate.certificate_id)
    await store.restore(work, uses)
