"""A back-to-back certificate reserves the quantities of its originals at submission, and uses them up at issue."""

from collections.abc import Mapping

from services.certificates.domain.certificate import Certificate
from services.certificates.domain.life_cycle import IN_PROCESS, Status
from services.certificates.domain.original import (
    Original,
    OriginalExceeded,
    OriginalLine,
    Use,
    as_quantity,
    borrowing,
    in_millionths,
)
from services.certificates.store import originals as store
from shared.handling.work import Work

HOLDING = IN_PROCESS | {Status.ISSUED}
"""The statuses in which a certificate has taken quantities of its originals."""


async def reserve_originals(certificate: Certificate, known: Mapping[int, Original], work: Work) -> None:
    """Takes the quantities of a submitted certificate from its originals, which were checked. Raises OriginalExceeded."""
    uses = []
    for number, wanted in certificate.consignment.originals.items():
        item = certificate.consignment.items[number - 1]
        uses.append(
            Use(
                certificate_id=certificate.certificate_id,
                item=number,
                original_id=wanted.original_id,
                line=wanted.line,
                quantity=in_millionths(item.quantity),
                unit=known[number].lines[wanted.line].unit,
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


async def known_originals(wanted: Mapping[int, OriginalLine], work: Work) -> dict[int, Original]:
    """The originals that are known, by the number of the item. `wanted`: the lines of a certificate, by the same number."""
    if not wanted:
        return {}
    found = await store.originals_by_ids(work, {each.original_id for each in wanted.values()})
    return {number: found[each.original_id] for number, each in wanted.items() if each.original_id in found}


async def valid_originals(certificate: Certificate, work: Work) -> list[Original]:
    """The originals of a certificate that is issued today. Raises OriginalNotUsable, OriginalExpired."""
    found = {each.original_id: each for each in (await known_originals(certificate.consignment.originals, work)).values()}
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
