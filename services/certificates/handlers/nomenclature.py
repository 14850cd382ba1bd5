"""The nomenclature: an operator loads editions, codes are checked with the one in force, and people search it."""

from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid5

from services.certificates.domain.nomenclature import Line, must_be_whole
from services.certificates.store import nomenclature as store
from services.certificates.store.nomenclature import Edition
from shared.contracts.certificates.nomenclature import (
    MAX_FOUND,
    FoundLine,
    FoundNomenclature,
    LoadNomenclature,
    NomenclatureEdition,
    NomenclatureLoaded,
    SearchNomenclature,
    ShownNomenclature,
    ShowNomenclature,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(LoadNomenclature)
async def load_nomenclature(command: LoadNomenclature, work: Work) -> NomenclatureLoaded:
    """An operator loads a part of an edition. With the last part the edition is complete, and checked codes follow it."""
    edition = edition_of(command, work)
    known = await store.find_edition(work, edition.edition_id)
    if known and known.complete:
        return NomenclatureLoaded(edition_id=known.edition_id, received=known.size, complete=True, unchanged=True)

    received = await store.add_lines(work, edition, [Line(each.code, each.description) for each in command.lines])
    complete = received >= edition.size
    if complete:
        must_be_whole(await store.lines_of(work, edition.edition_id), edition.sha256)
        await store.complete_edition(work, edition)
    return NomenclatureLoaded(edition_id=edition.edition_id, received=received, complete=complete)


def edition_of(command: LoadNomenclature, work: Work) -> Edition:
    """The edition of a part. The same name, day and content are the same edition."""
    named = f"nomenclature:{command.name}|{command.valid_from}|{command.sha256}"
    return Edition(
        edition_id=uuid5(NAMESPACE_URL, named),
        name=command.name,
        valid_from=command.valid_from,
        sha256=command.sha256,
        size=command.size,
        complete=False,
        loaded_at=work.now,
    )


@router.answers(SearchNomenclature)
async def search_nomenclature(question: SearchNomenclature, work: Work) -> FoundNomenclature:
    """Which lines of the nomenclature have this code or these words?"""
    return await found_for(question.search, work)


@router.answers(ShowNomenclature)
async def show_nomenclature(question: ShowNomenclature, work: Work) -> ShownNomenclature:
    """Which editions are there, and what is found in the one in force?"""
    editions = await store.complete_editions(work)
    current = await store.edition_in_force(work)
    found = await found_for(question.search, work) if question.search else FoundNomenclature(edition=current and current.name)
    shown = [
        NomenclatureEdition(
            name=each.name,
            valid_from=each.valid_from,
            loaded_at=each.loaded_at,
            size=each.size,
            in_force=current is not None and each.edition_id == current.edition_id,
        )
        for each in editions
    ]
    return ShownNomenclature(editions=shown, found=found)


async def found_for(text: str, work: Work) -> FoundNomenclature:
    """What a search finds in the edition in force."""
    nomenclature = await store.nomenclature_in_force(work)
    if nomenclature is None:
        return FoundNomenclature(edition=None)
    found = nomenclature.search(text, MAX_FOUND + 1)
    lines = [
        FoundLine(code=line.code, description=line.description, within=nomenclature.within(line.code))
        for line in found[:MAX_FOUND]
    ]
    return FoundNomenclature(edition=nomenclature.edition, lines=lines, more=len(found) > MAX_FOUND)


async def must_be_in_nomenclature(codes: Iterable[tuple[str, str]], work: Work) -> None:
    """Refuses codes that the edition in force does not have, if one is loaded. Each code has its field.

    Raises HsCodeUnknown.
    """
    nomenclature = await store.nomenclature_in_force(work)
    if nomenclature is not None:
        nomenclature.must_know(codes)
