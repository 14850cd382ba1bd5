"""Boxes 1, 2 and 12: the exporter, the consignee, and the office that certifies."""

from collections.abc import Iterator
from datetime import date

from services.certificates.domain.boxes.check import Level, check, refusal_of
from services.certificates.domain.boxes.sheet import Sheet
from services.certificates.domain.exporter import Exporter, ExporterNotRegistered
from services.certificates.domain.form import OfficeUnknown
from shared.refusals import Refused


class ExhibitionWithoutName(Refused):
    code = "exhibition_without_name"


class ExhibitionWithoutAddress(Refused):
    code = "exhibition_without_address"


@check(box=1, source="ATIGA Annex 8, Rule 6; Cambodian registration of exporters")
def exporter_is_registered(sheet: Sheet) -> Iterator[Refused]:
    """The exporter's registration is in force on the day."""
    yield from refusal_of(must_be_registered, sheet.exporter, sheet.on)


def must_be_registered(exporter: Exporter | None, on: date) -> None:
    """Refuses an exporter whose registration is unknown or not in force. Raises ExporterNotRegistered."""
    if exporter is None:
        raise ExporterNotRegistered("exporter_id")
    exporter.must_be_registered(on)


@check(box=2, source="ATIGA Annex 7, overleaf note 1", level=Level.DRAFT)
def destination_is_a_member(sheet: Sheet) -> Iterator[Refused]:
    """The consignee is in another member state of the agreement."""
    if sheet.content.destination is not None:
        yield from refusal_of(sheet.form.must_serve, sheet.origin, sheet.content.destination)


@check(box=2, source="ATIGA Annex 7, overleaf notes; Annex 8, Rule 22")
def exhibition_has_name_and_address(sheet: Sheet) -> Iterator[Refused]:
    """Goods sold at an exhibition name it, with its address."""
    if exhibition := sheet.content.exhibition:
        if not exhibition.name:
            yield ExhibitionWithoutName("consignment.exhibition.name")
        if not exhibition.address:
            yield ExhibitionWithoutAddress("consignment.exhibition.address")


@check(box=12, source="ATIGA Annex 8, Rule 7(3)", level=Level.DRAFT)
def office_issues_certificates(sheet: Sheet) -> Iterator[Refused]:
    """An office of the ministry certifies."""
    office = sheet.content.office
    if office is not None and office not in sheet.offices:
        yield OfficeUnknown("consignment.office", office=office, offices=set(sheet.offices))


CHECKS = (exporter_is_registered, destination_is_a_member, exhibition_has_name_and_address, office_issues_certificates)
