"""Export declarations (ACDD) between two gateways: the exporter sends one, and the customs of the destination read it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN

from services.gateway.domain import SentAlready, TransmissionNotFound
from services.gateway.handlers import router
from services.gateway.handlers.declaring import DeclarationSentAlready, OriginUnclear, declaration_of
from services.gateway.kinds import DocumentKindNotExchanged, DocumentKinds, NotForThisKind
from services.gateway.store import accepted_documents
from services.gateway.wire.messages import (
    Cancellation,
    CustomsResponse,
    Document,
    Kind,
    Reason,
    Replacement,
    VerificationQuestion,
    WireModel,
)
from services.gateway.wire.partners import ExchangedDocuments, SpokenVersion
from shared.contracts.certificates.documents import FormD, Original
from shared.contracts.gateway.declarations import DocumentAdvanced, SendDeclaration, TransportMode
from shared.contracts.gateway.originals import ReceivedDocumentChanged
from shared.contracts.gateway.received import DecideReceivedDocument, GetReceivedDocument, ListReceivedDocuments
from shared.contracts.gateway.transmissions import (
    GetTransmission,
    HoldTransmission,
    ListTransmissions,
    ResendTransmission,
    ResumeTransmission,
    StatusCode,
)
from shared.contracts.gateway.verification import AskVerification
from shared.handling.actor import Actor, BegunByAnother, NotYours
from tests.support.service_under_test import a_person, an_agent

from .builders import EXPORTER, Gateway, TwoGateways, a_documented_certificate, a_form, an_item

PREPARER, CUSTOMS = a_person("preparer", organisation=EXPORTER), a_person("customs_officer", organisation="GDCE")
APPROVER = a_person("approver", organisation="PNH")
REFERENCE = "XD2026-PNH-000123"
REFUSED_AT_CUSTOMS = an_item(hs_code="24021000")


async def ask(gateway: Gateway, request: Any, actor: Actor = PREPARER) -> Any:
    async with gateway.context.work(INVALID_SPAN) as work:
        work.act_as(actor)
        return await router.requests[type(request)](request, work)


def a_declaration(certificate_id: UUID, **changes: Any) -> SendDeclaration:
    values: dict[str, Any] = {
        "certificate_id": certificate_id,
        "permit_number": "ED-2026-004711",
        "transport_mode": TransportMode.SEA,
        "exporter_number": "L001-100000027",
    }
    return SendDeclaration(**values | changes)


async def a_certificate(gateways: TwoGateways, form: FormD | None = None) -> UUID:
    """A certificate with an answer of the destination."""
    event = a_documented_certificate(form)
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    return event.certificate_id


async def codes_of_declaration(gateway: Gateway) -> list[tuple[int, str]]:
    return [(each.number, each.code.value) for each in await gateway.announced_of(DocumentAdvanced)]


def kh_as_vn_sees_it(gateways: TwoGateways, **changes: Any) -> None:
    """Changes the row of KH in the directory of VN."""
    rows: Any = gateways.vn.exchange.partners.rows
    rows["KH"] = replace(rows["KH"], **changes)
    vars(gateways.vn.exchange.partners).pop("pins", None)


def vn_as_kh_sees_it(gateways: TwoGateways, **changes: Any) -> None:
    """Changes the row of VN in the directory of KH."""
    rows: Any = gateways.kh.exchange.partners.rows
    rows["VN"] = replace(rows["VN"], **changes)


async def test_an_exporter_sends_a_declaration_and_the_customs_of_the_destination_read_it(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways)
    before = await gateways.kh.state(certificate_id)
    assert (before.kind, before.can_add) == ("e_form_d", ("acdd",))

    sent = await ask(gateways.kh, a_declaration(certificate_id, declaring_agent="Mekong Brokers"))
    await gateways.run_until_idle()

    assert (sent.kind, sent.reference, sent.destination, sent.number) == ("acdd", REFERENCE, "VN", 1)
    assert [step.code for step in sent.steps] == ["AS1"]
    assert await codes_of_declaration(gateways.kh) == [(1, "AS1"), (1, "AS2"), (1, "REC")]
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"], "the codes of the certificate are its own"
    assert (await gateways.kh.state(certificate_id)).can_add == ()
    state = await ask(gateways.kh, GetTransmission(certificate_id=certificate_id, kind="acdd"))
    assert [step.code for step in state.steps] == ["AS1", "AS2", "REC"]

    listed = await ask(gateways.vn, ListReceivedDocuments(), CUSTOMS)
    assert [(each.reference, each.kind) for each in listed.documents] == [
        (REFERENCE, "acdd"),
        ("D2026-PNH-000123", "e_form_d"),
    ]
    content = await ask(gateways.vn, GetReceivedDocument(origin="KH", reference=REFERENCE), CUSTOMS)
    fields = {each.name: each.value for each in content.fields}
    assert (content.document, content.can_be_decided, content.can_be_verified) == (None, False, False)
    assert fields["exporter.identifier"] == "L001-100000027"
    assert fields["permit_number"] == "ED-2026-004711"
    assert fields["declaring_agent"] == "Mekong Brokers"
    assert fields["transport_mode"] == "sea"
    assert fields["certificate"] == "D2026-PNH-000123"
    assert fields["departure_date"] == "2026-03-05"
    assert [{each.name: each.value for each in line} for line in content.lines] == [
        {"number": "1", "hs_code": "61091010", "quantity": "2400", "unit": "PCS", "country_of_origin": "KH"}
    ]


async def test_a_declaration_waits_for_its_own_partner_and_is_held_resumed_and_resent_by_itself(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways)
    await ask(gateways.kh, a_declaration(certificate_id))
    of_it: dict[str, Any] = {"certificate_id": certificate_id, "kind": "acdd"}

    held = await ask(gateways.kh, HoldTransmission(**of_it, reason="The permit is checked."), APPROVER)
    await gateways.run_until_idle()
    assert held.held
    assert await codes_of_declaration(gateways.kh) == [(1, "AS1")]
    with pytest.raises(SentAlready):
        await ask(gateways.kh, HoldTransmission(certificate_id=certificate_id, reason="The certificate."), APPROVER)

    await ask(gateways.kh, ResumeTransmission(**of_it), APPROVER)
    await gateways.run_until_idle()
    assert (await codes_of_declaration(gateways.kh))[-1] == (1, "REC")


async def test_after_a_rejection_it_is_sent_again_by_an_officer_or_corrected_by_its_exporter(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways, a_form(items=(REFUSED_AT_CUSTOMS,)))
    await ask(gateways.kh, a_declaration(certificate_id))
    await gateways.run_until_idle()
    assert (await codes_of_declaration(gateways.kh))[-1] == (1, "NOT")

    again = await ask(gateways.kh, ResendTransmission(certificate_id=certificate_id, kind="acdd"), APPROVER)
    await gateways.run_until_idle()
    corrected = await ask(gateways.kh, a_declaration(certificate_id, permit_number="ED-2026-004712"))
    await gateways.run_until_idle()

    assert (again.number, corrected.number) == (2, 3)
    assert [each.number for each in corrected.former] == [1, 1, 1, 2, 2, 2]
    received = await ask(gateways.vn, GetReceivedDocument(origin="KH", reference=REFERENCE), CUSTOMS)
    assert {each.name: each.value for each in received.fields}["permit_number"] == "ED-2026-004712"


async def test_a_lost_receipt_and_a_partner_that_is_out_change_nothing(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways)
    gateways.kh.links["VN"].down = True
    await ask(gateways.kh, a_declaration(certificate_id))
    await gateways.kh.run_due_tasks()
    state = await ask(gateways.kh, GetTransmission(certificate_id=certificate_id, kind="acdd"))
    assert "cannot be reached" in (state.waits_because or "")

    gateways.kh.links["VN"].down = False
    gateways.kh.links["VN"].lost_answers = 1
    await gateways.run_until_idle()

    assert [code for _, code in await codes_of_declaration(gateways.kh)] == ["AS1", "AS2", "REC"]
    assert len((await ask(gateways.vn, ListReceivedDocuments(), CUSTOMS)).documents) == 2


async def test_a_declaration_is_no_original_of_a_back_to_back_certificate(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways)
    await ask(gateways.kh, a_declaration(certificate_id))
    await gateways.run_until_idle()

    announced = await gateways.vn.announced_of(ReceivedDocumentChanged)
    assert [each.reference for each in announced] == ["D2026-PNH-000123"]
    async with gateways.vn.database.reading() as session:
        assert len((await session.scalars(accepted_documents)).all()) == 1


async def test_lists_of_transmissions_have_one_kind(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways)
    await ask(gateways.kh, a_declaration(certificate_id))
    for kind, reference in (("e_form_d", "D2026-PNH-000123"), ("acdd", REFERENCE)):
        listed = await ask(gateways.kh, ListTransmissions(kind=kind))
        assert [each.reference for each in listed.transmissions] == [reference]


async def test_only_its_own_exporter_or_the_agent_that_drafted_the_certificate_sends_it(gateways: TwoGateways) -> None:
    agent = uuid4()
    event = a_documented_certificate(agent_id=agent)
    await gateways.kh.receive(event)
    command = a_declaration(event.certificate_id)

    with pytest.raises(NotYours):
        await ask(gateways.kh, command, a_person("preparer", organisation=uuid4()))
    with pytest.raises(BegunByAnother):
        await ask(gateways.kh, command, an_agent(uuid4(), EXPORTER))
    assert (await ask(gateways.kh, command, an_agent(agent, EXPORTER))).reference == REFERENCE


async def test_it_is_sent_once_and_never_changed(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways)
    await ask(gateways.kh, a_declaration(certificate_id))
    for run in (False, True):
        if run:
            await gateways.run_until_idle()
        with pytest.raises(DeclarationSentAlready):
            await ask(gateways.kh, a_declaration(certificate_id, permit_number="other"))


async def test_a_certificate_that_the_gateway_does_not_know_is_refused(gateways: TwoGateways) -> None:
    with pytest.raises(TransmissionNotFound):
        await ask(gateways.kh, a_declaration(uuid4()))


@pytest.mark.parametrize(
    "changes",
    [
        {"documents": ()},
        {"documents": (ExchangedDocuments(code="acdd", since=date(2199, 1, 1)),)},
        {"documents": (ExchangedDocuments(code="acdd", until=date(2020, 1, 1)),)},
        {"versions": (SpokenVersion(version=1),)},
    ],
)
async def test_a_destination_that_does_not_exchange_declarations_is_refused(
    gateways: TwoGateways, changes: dict[str, Any]
) -> None:
    certificate_id = await a_certificate(gateways)
    vn_as_kh_sees_it(gateways, **changes)

    with pytest.raises(DocumentKindNotExchanged, match=r"Viet Nam .* does not exchange"):
        await ask(gateways.kh, a_declaration(certificate_id))
    assert (await gateways.kh.state(certificate_id)).can_add == ()


async def test_a_partner_that_does_not_take_it_rejects_it_with_a_code(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways)
    kh_as_vn_sees_it(gateways, documents=())
    await ask(gateways.kh, a_declaration(certificate_id))
    await gateways.run_until_idle()

    last = (await gateways.kh.announced_of(DocumentAdvanced))[-1]
    assert (last.code, last.reasons) == (StatusCode.NOT, ("document_kind_not_accepted",))


async def a_message(sender: Gateway, kind: Kind, content: WireModel, reference: str, number: int = 1) -> tuple[str, ...]:
    """Sends a message, and returns the codes of its refusal."""
    (receiver,) = sender.links
    envelope = sender.exchange.envelope(uuid4(), kind, receiver, reference, number, datetime.now(UTC))
    return tuple(reason.code for reason in (await sender.exchange.send(envelope, content)).reasons)


REASON = Reason(code="issued_in_error", detail="Issued in error.")
NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("sender", "kind", "content"),
    [
        ("kh", Kind.CANCELLATION, Cancellation(cancelled_at=NOW, reason=REASON)),
        ("vn", Kind.CUSTOMS_RESPONSE, CustomsResponse(code=StatusCode.UTL, decided_at=NOW)),
        (
            "vn",
            Kind.VERIFICATION_QUESTION,
            VerificationQuestion(case_id=uuid4(), asked_at=NOW, answer_by=date(2199, 1, 1), reason=REASON),
        ),
    ],
)
async def test_a_message_for_another_kind_of_document_is_refused_with_a_code(
    gateways: TwoGateways, sender: str, kind: Kind, content: WireModel
) -> None:
    certificate_id = await a_certificate(gateways)
    await ask(gateways.kh, a_declaration(certificate_id))
    await gateways.run_until_idle()

    assert await a_message(getattr(gateways, sender), kind, content, REFERENCE) == ("not_for_this_document_kind",)
    assert (await codes_of_declaration(gateways.kh))[-1] == (1, "REC")
    listed = await ask(gateways.vn, ListReceivedDocuments(), CUSTOMS)
    assert {each.code for each in listed.documents} == {StatusCode.REC}


async def test_a_certificate_cannot_replace_a_declaration(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways)
    await ask(gateways.kh, a_declaration(certificate_id))
    await gateways.run_until_idle()
    form = a_form(reference="D2026-PNH-000124", replaces=REFERENCE)

    refused = await a_message(gateways.kh, Kind.REPLACEMENT, Replacement(form=form, replaces=REFERENCE), form.reference)

    assert refused == ("not_for_this_document_kind",)


async def test_a_reference_keeps_its_kind_of_document(gateways: TwoGateways) -> None:
    await a_certificate(gateways)
    command = a_declaration(uuid4())
    form, kind = a_form(), DocumentKinds.load().of("acdd")
    forged = declaration_of(command, form, kind).model_copy(update={"reference": form.reference})

    for number in (1, 2):
        assert await a_message(gateways.kh, Kind.DOCUMENT, Document(form=forged), form.reference, number) == (
            "document_kind_differs",
        )


async def test_a_reference_that_was_cancelled_is_not_that_of_a_declaration(gateways: TwoGateways) -> None:
    await a_message(gateways.kh, Kind.CANCELLATION, Cancellation(cancelled_at=NOW, reason=REASON), REFERENCE)
    declaration = declaration_of(a_declaration(uuid4()), a_form(), DocumentKinds.load().of("acdd"))
    assert await a_message(gateways.kh, Kind.DOCUMENT, Document(form=declaration), REFERENCE) == ("document_kind_differs",)


async def test_our_customs_decide_on_no_declaration_and_ask_nothing_about_it(gateways: TwoGateways) -> None:
    certificate_id = await a_certificate(gateways)
    await ask(gateways.kh, a_declaration(certificate_id))
    await gateways.run_until_idle()
    of_it: dict[str, Any] = {"origin": "KH", "reference": REFERENCE}

    with pytest.raises(NotForThisKind, match="ACDD"):
        await ask(gateways.vn, DecideReceivedDocument(**of_it), CUSTOMS)
    question = AskVerification(**of_it, case_id=uuid4(), reason="goods_mismatch", question="Which goods?")
    with pytest.raises(NotForThisKind):
        await ask(gateways.vn, question, CUSTOMS)


def of_originals(*countries: str) -> FormD:
    originals = tuple(Original(reference="X", country=each, issued_on=date(2026, 1, 5)) for each in countries)
    return a_form(originals=originals)


@pytest.mark.parametrize(
    ("form", "chosen", "origin"),
    [
        (a_form(), None, "KH"),
        (a_form(), "TH", "TH"),
        (of_originals("TH", "TH"), None, "TH"),
        (of_originals("TH", "VN"), "VN", "VN"),
    ],
)
def test_the_country_of_origin_is_that_of_the_certificate_or_of_its_originals(
    form: FormD, chosen: str | None, origin: str
) -> None:
    command = a_declaration(uuid4(), country_of_origin=chosen)
    declared = declaration_of(command, form, DocumentKinds.load().of("acdd"))
    assert {item.country_of_origin for item in declared.items} == {origin}


def test_goods_of_several_countries_need_a_choice() -> None:
    with pytest.raises(OriginUnclear, match="TH"):
        declaration_of(a_declaration(uuid4()), of_originals("TH", "VN"), DocumentKinds.load().of("acdd"))
