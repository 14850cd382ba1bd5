"""What certificates must know of a received document, to use it as the original of a back-to-back certificate."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.contracts.certificates.documents import Figure
from shared.contracts.messages import Contract, Event


class ReceivedItem(Contract):
    """One item of a received document. `denied`: customs have denied the preference for it."""

    number: int
    hs_code: str
    description: str
    quantity: Figure
    unit: str
    denied: bool = False


class FormerOriginal(Contract):
    """An original of the received document itself."""

    reference: str
    country: str


class ReceivedDocumentChanged(Event):
    """A document of another member is in the customs system of this country, or its state has changed there.

    `usable`: false after customs have denied it or its country has cancelled it. `based_on`: its own originals, if it is
    back-to-back. A long description is cut.
    """

    subject: ClassVar[str] = "evt.received-document.changed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "document_id"
    about_noun: ClassVar[str] = "received_document"
    document_id: UUID
    country: str
    reference: str
    issued_on: date
    valid_until: date
    consignee: str
    usable: bool
    items: tuple[ReceivedItem, ...]
    based_on: tuple[FormerOriginal, ...] = ()
