"""API keys, with which the systems of an agent act under a mandate. A key is shown until the person has stored it."""

from starlette.responses import Response

from services.portal.acting import must_administer
from services.portal.navigation import COMPANY
from services.portal.page import page
from services.portal.pages.mandates import LIST, mandate_of, show_mandate
from services.portal.visit import Visit
from shared.contracts.registry.mandates import MadeApiKey, MakeApiKey, RevokeApiKey


async def change_keys(visit: Visit) -> Response:
    """Makes a key, revokes one, or hides the new one."""
    must_administer(visit)
    mandate, act = await mandate_of(visit), visit.form.text("act")
    here = f"{LIST}/{mandate.mandate_id}"
    if act == "stored":
        await visit.seal(api_key=None)
        return visit.go(here)
    if act == "revoke":
        await visit.ask(visit.form.build(RevokeApiKey, ["api_key_id"]))
        return visit.go(here, done="key-revoked")
    api_key_id = visit.form.command_id("key")
    made: MadeApiKey = await visit.ask(
        visit.form.build(MakeApiKey, ["name"], api_key_id=api_key_id, mandate_id=mandate.mandate_id)
    )
    await visit.seal(api_key={"mandate_id": str(mandate.mandate_id), "name": visit.form.text("name"), "key": made.key})
    return visit.go(here)


routes = [page("/company/mandates/{mandate_id}/keys", show_mandate, change_keys, roles=COMPANY)]
