"""A third kind of document, made up here: a model, a layout and a row are enough to send it, receive it and show it."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from shutil import copy
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from opentelemetry.trace import INVALID_SPAN

from services.gateway.domain import Transmission
from services.gateway.handlers import router
from services.gateway.handlers.sending import begin
from services.gateway.kinds import DocumentKinds
from services.gateway.members import DocumentKind, load_document_kinds
from services.gateway.wire import schemas
from services.gateway.wire.opening import Opener
from services.gateway.wire.partners import ExchangedDocuments
from services.gateway.wire.signature import Signer
from shared.contracts.fields import Country, Reference
from shared.contracts.gateway.declarations import DocumentAdvanced
from shared.contracts.gateway.received import GetReceivedDocument, ReceivedContent
from shared.contracts.messages import Contract
from shared.runtime.process_pool import ProcessPool
from shared.xml.document_types import DOCUMENT_TYPES, DocumentType
from shared.xml.layout import COUNTRY, DAY, LINE, REFERENCE, Layout, Part, Place
from tests.support.service_under_test import a_person

from .builders import EXPORTER, TwoGateways, an_answer, two_gateways


class Plant(Contract):
    """A plant in a certificate."""

    name: str
    treated_on: date | None = None


class PlantHealth(Contract):
    """A certificate of plant health: the model."""

    reference: Reference
    issuing_country: Country
    destination: Country
    inspector: str
    plants: tuple[Plant, ...]


PLANT: Layout = {
    "name": Place("BotanicalName", LINE, "The botanical name."),
    "treated_on": Place("Treatment/Date", DAY, "The day of its treatment.", optional=True),
}
LAYOUT: Layout = {
    "reference": Place("ID", REFERENCE, "The reference of this document."),
    "issuing_country": Place("IssueLocation/CountryCode", COUNTRY, "The exporting country."),
    "destination": Place("Destination/CountryCode", COUNTRY, "The importing country."),
    "inspector": Place("Inspector/Name", LINE, "The inspector."),
    "plants": Part("Plant", PLANT, "The plants.", many=True, at_least=1),
}
ROW = DocumentKind("plant_health", {"en": "Plant health", "km": "សុខភាពរុក្ខជាតិ"}, False, False, False)
DOCUMENT = PlantHealth(
    reference="P2026-PNH-000001",
    issuing_country="KH",
    destination="VN",
    inspector="Chan Dara",
    plants=(Plant(name="Oryza sativa", treated_on=date(2026, 3, 1)), Plant(name="Piper nigrum")),
)


class InThisProcess(ThreadPoolExecutor):
    """Opens messages in a thread: another process would not know the made-up kind."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        return super().submit(function, *args, **kwargs)

    def end(self) -> None:
        """A thread is not killed."""


@pytest.fixture
def third_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DocumentKinds:
    """The gateway with a model, a layout and a row more; its schemas are generated."""
    monkeypatch.setitem(DOCUMENT_TYPES, ROW.code, DocumentType(ROW.code, "PlantHealth", PlantHealth, LAYOUT, since=2))
    monkeypatch.setattr(schemas, "FOLDER", tmp_path / "schemas")
    monkeypatch.setattr(schemas, "_schema", schemas._schema.__wrapped__)
    schemas.write_all(schemas.all_schemas())
    return DocumentKinds.load(load_document_kinds() | {ROW.code: ROW})


@pytest.fixture
async def gateways(
    third_kind: DocumentKinds, empty_database: Path, tmp_path: Path, signers: dict[str, Signer]
) -> AsyncIterator[TwoGateways]:
    databases = {country: Path(copy(empty_database, tmp_path / f"{country}.sqlite")) for country in signers}
    also = (ExchangedDocuments(code=ROW.code),)
    async with AsyncExitStack() as stack:
        pair = await two_gateways(stack, databases, signers, trust=True, documents=also)
        for gateway in (pair.kh, pair.vn):
            gateway.context.add(third_kind)
            gateway.exchange._opener = Opener([cast(ProcessPool, InThisProcess(1))])
            gateway.customs_link.to = httpx.MockTransport(lambda _: an_answer(200, b'{"decision": "accepted"}'))
        yield pair


async def test_a_third_kind_of_document_is_sent_received_and_shown(gateways: TwoGateways) -> None:
    transmission = Transmission(
        transmission_id=uuid4(),
        certificate_id=uuid4(),
        exporter_id=EXPORTER,
        reference=DOCUMENT.reference,
        destination=DOCUMENT.destination,
        number=1,
        document=DOCUMENT.model_dump_json(),
        kind=ROW.code,
    )
    async with gateways.kh.context.work(INVALID_SPAN) as work:
        work.session.add(transmission)
        begin(transmission, work)
    await gateways.run_until_idle()

    announced = await gateways.kh.announced_of(DocumentAdvanced)
    assert [(each.kind, each.code) for each in announced] == [(ROW.code, code) for code in ("AS1", "AS2", "REC")]
    content = await read(gateways)
    assert (content.kind, content.kind_name["en"], content.can_be_decided) == (ROW.code, "Plant health", False)
    assert {each.name: each.value for each in content.fields}["inspector"] == "Chan Dara"
    assert [[each.value for each in line] for line in content.lines] == [["Oryza sativa", "2026-03-01"], ["Piper nigrum"]]
    assert content.fields[-1].meaning == "The inspector."


async def read(gateways: TwoGateways) -> ReceivedContent:
    question = GetReceivedDocument(origin="KH", reference=DOCUMENT.reference)
    async with gateways.vn.context.reading(INVALID_SPAN) as work:
        work.act_as(a_person("customs_viewer", organisation="GDCE"))
        answer = await router.requests[GetReceivedDocument](question, work)
    assert isinstance(answer, ReceivedContent)
    return answer
