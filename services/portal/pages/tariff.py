"""The tariff in force, for everybody who pays or receives fees. It is changed by a release, not here."""

from starlette.responses import Response

from services.portal.navigation import COMPANY, MINISTRY
from services.portal.page import page
from services.portal.visit import Visit
from shared.contracts.fees import GetTariff, Tariff


async def show_tariff(visit: Visit) -> Response:
    """The rows of the tariff of today, or of the chosen day."""
    visit.form.defaults({"on": visit.query("on")})
    tariff: Tariff = await visit.ask(visit.form.build(GetTariff, [], on=visit.query("on") or None))
    forms = sorted({form for row in tariff.rows for form in row.amounts_khr}, key=lambda form: (form == "*", form))
    return visit.page("tariff.html", tariff=tariff, forms=forms)


routes = [page("/tariff", show_tariff, roles=COMPANY | MINISTRY)]
