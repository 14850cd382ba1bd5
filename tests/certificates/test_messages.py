"""Messages between an exporter and the officers of an office."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from services.certificates.handlers import router
from services.certificates.store.tables import certificate_messages
from shared.contracts.certificates.content import (
    CertificateMessageSent,
    GetCertificateContent,
    ListCertificateMessages,
    SendCertificateMessage,
)
from tests.certificates.test_agents import Forwarder
from tests.certificates.test_handlers import OTHER_OFFICER, REVIEWER, STRANGER, Trader
from tests.support.service_under_test import ServiceUnderTest, a_person


def message(certificate_id: UUID, text: str = "When?") -> SendCertificateMessage:
    return SendCertificateMessage(certificate_id=certificate_id, message_id=uuid4(), text=text)


async def test_both_sides_write_and_the_event_does_not_contain_the_text(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id = (await trader.draft()).certificate_id
    await service.ask(message(certificate_id, "តើពេលណា? <script>"), trader.person)
    thread = await service.ask(message(certificate_id, "Tomorrow."), REVIEWER)

    assert [(each.by, each.text) for each in thread.messages] == [("ministry", "Tomorrow."), ("exporter", "តើពេលណា? <script>")]
    sent = await service.announced(CertificateMessageSent)
    assert [(each.by, each.office, each.version) for each in sent] == [("exporter", "PNH", 1), ("ministry", "PNH", 2)]
    assert "Tomorrow" not in sent[1].model_dump_json()
    state = await trader.state(certificate_id)
    assert state.version == 1, "a message does not change the certificate"
    content = await service.ask(GetCertificateContent(certificate_id=certificate_id), trader.person)
    assert content.last_message_by == "ministry"
    _, announce = router.reannouncing["certificate-message"]
    async with service.work() as work:
        await announce(certificate_id, work)
    assert (await service.announced(CertificateMessageSent))[-1] == sent[-1]


async def test_the_same_message_twice_is_one_message(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id, other = (await trader.draft()).certificate_id, (await trader.draft()).certificate_id
    sent = message(certificate_id)
    await service.ask(sent, trader.person)
    again = await service.ask(sent.model_copy(update={"command_id": uuid4()}), trader.person)
    assert len(again.messages) == len(await service.announced(CertificateMessageSent)) == 1
    for changes in ({"text": "Other"}, {"certificate_id": other}):
        refused = await service.ask(sent.model_copy(update={"command_id": uuid4(), **changes}), trader.person)
        assert (refused.code, refused.fields) == ("message_id_taken", ("message_id",))


@pytest.mark.parametrize(
    ("person", "code"),
    [
        (STRANGER, "not_yours"),
        (OTHER_OFFICER, "other_office"),
        (a_person("cashier"), "role_required"),
        (a_person("auditor"), "role_required"),
    ],
)
async def test_nobody_else_writes(service: ServiceUnderTest, trader: Trader, person: Any, code: str) -> None:
    assert (await service.ask(message((await trader.draft()).certificate_id), person)).code == code
    assert await service.announced() == []


async def test_an_agent_writes_about_what_it_drafted_and_readers_of_all_offices_read(
    service: ServiceUnderTest, trader: Trader
) -> None:
    forwarder = Forwarder(service, trader, uuid4(), uuid4())
    await forwarder.registered()
    await forwarder.granted()
    draft, of_exporter = trader.a_draft(), (await trader.draft()).certificate_id
    await service.ask(draft, forwarder.person())
    thread = await service.ask(message(draft.certificate_id), forwarder.person())
    assert thread.messages[0].by == "exporter"
    assert (await service.ask(message(of_exporter), forwarder.person())).code == "certificate_begun_by_another"

    question = ListCertificateMessages(certificate_id=draft.certificate_id)
    for person in (trader.person, forwarder.person(), OTHER_OFFICER, a_person("auditor")):
        assert await service.ask(question, person) == thread
    for person in (STRANGER, a_person("cashier")):
        assert (await service.ask(question, person)).code == "not_yours"
    hidden = ListCertificateMessages(certificate_id=of_exporter)
    assert (await service.ask(hidden, forwarder.person())).code == "certificate_begun_by_another"


async def test_a_thread_has_pages_and_an_end(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id, other = (await trader.draft()).certificate_id, (await trader.draft()).certificate_id
    row = {"certificate_id": certificate_id, "side": "exporter", "user_id": uuid4(), "at": service.clock.now(), "text": "x"}
    ids = [uuid4() for _ in range(499)]
    async with service.work() as work:
        rows = [row | {"message_id": each, "number": number} for number, each in enumerate(ids, start=1)]
        await work.session.execute(insert(certificate_messages), rows)

    page = await service.ask(ListCertificateMessages(certificate_id=certificate_id, before=ids[2], limit=2), REVIEWER)
    assert ([each.message_id for each in page.messages], page.next) == ([ids[1], ids[0]], None)
    page = await service.ask(ListCertificateMessages(certificate_id=certificate_id, limit=1), REVIEWER)
    assert page.next == ids[-1]
    for before in (ids[2], uuid4()):  # of another certificate, of none
        unknown = ListCertificateMessages(certificate_id=other, before=before)
        assert (await service.ask(unknown, REVIEWER)).code == "cursor_malformed"
    assert len((await service.ask(message(certificate_id), trader.person)).messages) == 25
    assert (await service.ask(message(certificate_id), REVIEWER)).code == "too_many_messages"
