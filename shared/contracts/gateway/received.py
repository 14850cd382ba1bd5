"""Documents that partners have sent to the customs of this country."""

from datetime import date, datetime
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.certificates.documents import FormD
from shared.contracts.fields import Country, Cursor, Line, Reference
from shared.contracts.gateway.transmissions import StatusCode
from shared.contracts.messages import Answer, Contract, Question
from shared.contracts.roles import Role

MAX_ITEMS = 100_000
"""More items than a message of a partner can hold."""


class ReceivedDocument(Contract):
    """A document that a partner has sent. `code`: the decision of customs, REC or NOT; None before it."""

    reference: str
    origin: str
    number: int
    received_at: datetime
    code: StatusCode | None = None
    valid_until: date | None = None


class ReceivedDocuments(Answer):
    """One page of received documents, newest first."""

    documents: tuple[ReceivedDocument, ...]
    next: str | None = None


class ListReceivedDocuments(Question):
    """Which documents have partners sent to the customs of this country? `search`: the beginning of a reference."""

    subject: ClassVar[str] = "qry.received-documents.list.v1"
    answer: ClassVar[type[Answer]] = ReceivedDocuments
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.CUSTOMS_VIEWER, Role.AUDITOR})
    origin: Country | None = None
    search: Line | None = None
    after: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 25


class ReceivedContent(Answer):
    """A received document with its boxes. `items`: how many it has; `document` has only those of this page."""

    reference: str
    origin: str
    number: int
    received_at: datetime
    code: StatusCode | None = None
    document: FormD
    items: int
    next: int | None = None


class GetReceivedDocument(Question):
    """What does this received document contain? Its items are read page by page: `after` as many others."""

    subject: ClassVar[str] = "qry.received-document.get.v1"
    answer: ClassVar[type[Answer]] = ReceivedContent
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.CUSTOMS_VIEWER, Role.AUDITOR})
    origin: Country
    reference: Reference
    after: Annotated[int, Field(ge=0, le=MAX_ITEMS)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 100
