"""A gateway whose database is an older copy: a declaration that it has lost is sent again, and gets back its steps."""

from sqlalchemy import delete

from services.gateway.handlers import router
from services.gateway.store import steps, transmissions
from shared.contracts.gateway.declarations import DocumentAdvanced
from tests.gateway.test_gateway_declarations import a_certificate, a_declaration, ask, codes_of_declaration

from .builders import TwoGateways


async def test_a_lost_declaration_that_is_sent_again_is_at_its_destination_already(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways)
    sent = await ask(gateways.kh, a_declaration(certificate_id))
    await gateways.run_until_idle()
    async with gateways.kh.database.writing() as transaction:
        of_it = transmissions.c.kind == "acdd"
        lost = transmissions.select().with_only_columns(transmissions.c.transmission_id).where(of_it)
        await transaction.session.execute(delete(steps).where(steps.c.transmission_id.in_(lost)))
        await transaction.session.execute(delete(transmissions).where(of_it))

    again = await ask(gateways.kh, a_declaration(certificate_id))
    await gateways.run_until_idle()

    assert again.reference == sent.reference
    assert [step.code for step in again.steps] == ["AS1", "AS2", "REC"]
    assert await codes_of_declaration(gateways.kh) == [(1, "AS1"), (1, "AS2"), (1, "REC")], "nothing is announced twice"


def test_each_kind_of_event_is_announced_again_by_its_noun() -> None:
    assert {"document", "transmission"} <= set(router.reannouncing)
    assert DocumentAdvanced.subject.split(".")[1] == "document"
