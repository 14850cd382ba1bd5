"""The list of districts, for those who state an address."""

from services.registry.companies.reference_data import ReferenceData
from services.registry.companies.views import shown_place
from shared.contracts.registry.particulars import ListPlaces, Places
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ListPlaces)
async def list_places(question: ListPlaces, work: Work) -> Places:
    """Lists every district with its province."""
    districts = sorted(work.use(ReferenceData).districts.values(), key=lambda district: district.code)
    return Places(places=tuple(shown_place(district) for district in districts))
