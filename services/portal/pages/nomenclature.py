"""The search for HS codes: a page of its own, and the suggestions while a person types in a field."""

from starlette.responses import JSONResponse, Response

from services.portal.navigation import COMPANY, DECIDING
from services.portal.page import page
from services.portal.visit import Visit
from shared.contracts.certificates.nomenclature import FoundNomenclature, SearchNomenclature, SearchText
from shared.contracts.roles import Role

READERS = COMPANY | DECIDING | {Role.AUDITOR, Role.ADMINISTRATOR}


async def show_nomenclature(visit: Visit) -> Response:
    """The lines with a code or words; as JSON for the script of a field."""
    search = visit.filter("search", SearchText)
    found: FoundNomenclature | None = await visit.ask(SearchNomenclature(search=search)) if search else None
    if "application/json" in visit.request.headers.get("accept", ""):
        return JSONResponse({"lines": [{"code": line.code, "text": line.description} for line in found.lines] if found else []})
    return visit.page("nomenclature.html", search=visit.query("search"), found=found)


routes = [page("/nomenclature", show_nomenclature, roles=READERS)]
