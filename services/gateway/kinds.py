"""The kinds of documents in one table: for each kind its model, its layout and its rules.

The model and the layout are in `shared/xml/document_types.py`, the rules in `services/gateway/data/documents.json`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast

from services.gateway.domain import Addressed
from services.gateway.members import DocumentKind, load_document_kinds
from services.gateway.wire.messages import Kind as MessageKind
from services.gateway.wire.partners import Partners
from shared.contracts.messages import Contract
from shared.refusals import Refused
from shared.xml.document_types import DOCUMENT_TYPES, DocumentType, type_of


class DocumentKindUnknown(Refused):
    code = "document_kind_unknown"


class DocumentKindNotExchanged(Refused):
    code = "document_kind_not_exchanged"


class NotForThisKind(Refused):
    code = "not_for_this_document_kind"


@dataclass(frozen=True)
class ExchangedKind:
    """A kind of document: how it is written, and its rules."""

    type: DocumentType
    rules: DocumentKind

    @property
    def code(self) -> str:
        """Its code in the database, in commands and in the data file."""
        return self.type.code

    @property
    def name(self) -> str:
        """Its name in English."""
        return self.rules.names["en"]

    def read(self, stored: str) -> Contract:
        """A document of this kind as it was stored."""
        return self.type.model.model_validate_json(stored)

    def permits(self, message: MessageKind) -> bool:
        """Whether a message of this kind may be about such a document."""
        rule = RULE_OF.get(message)
        return rule is None or bool(getattr(self.rules, rule))

    def must_permit(self, message: MessageKind, *fields: str) -> None:
        """Raises NotForThisKind for a message that is not for such a document."""
        if not self.permits(message):
            raise NotForThisKind(*fields, kind=self.name)


RULE_OF: Mapping[MessageKind, str] = {
    MessageKind.CANCELLATION: "can_be_cancelled",
    MessageKind.REPLACEMENT: "can_be_cancelled",
    MessageKind.CUSTOMS_RESPONSE: "can_be_decided",
    MessageKind.VERIFICATION_QUESTION: "can_be_verified",
}
"""The rule that permits a kind of message. The messages that are not here are for every kind of document."""


@dataclass(frozen=True)
class DocumentKinds:
    """Every kind of document, by its code."""

    kinds: Mapping[str, ExchangedKind]

    @classmethod
    def load(cls, rows: Mapping[str, DocumentKind] | None = None) -> "DocumentKinds":
        """The kinds with a row in the data file. Raises KeyError for a row without a model."""
        found = load_document_kinds() if rows is None else rows
        return cls({code: ExchangedKind(DOCUMENT_TYPES[code], row) for code, row in found.items()})

    def __iter__(self) -> Iterator[ExchangedKind]:
        return iter(self.kinds.values())

    def of(self, code: str) -> ExchangedKind:
        """The kind with this code. Raises DocumentKindUnknown."""
        if code not in self.kinds:
            raise DocumentKindUnknown("kind", kind=code)
        return self.kinds[code]

    def of_document(self, document: Contract) -> ExchangedKind:
        """The kind of a document."""
        return self.of(type_of(document).code)

    def read(self, code: str, stored: str) -> Contract:
        """A stored document of a kind."""
        return self.of(code).read(stored)


def address_of(document: Contract) -> Addressed:
    """The document as its reference, its issuer and its destination."""
    return cast(Addressed, document)


def is_exchanged(kind: ExchangedKind, partners: Partners, country: str, day: date) -> bool:
    """Whether the partner takes documents of this kind, in a version of the messages that has them."""
    partner = partners.find(country)
    if partner is None or not partner.takes(kind.code, day):
        return False
    return (partner.version_on(day) or 0) >= kind.type.since


def must_be_exchanged(kind: ExchangedKind, partners: Partners, country: str, day: date) -> None:
    """Raises DocumentKindNotExchanged unless the partner takes documents of this kind today."""
    if not is_exchanged(kind, partners, country, day):
        raise DocumentKindNotExchanged(kind=kind.name, country=partners.name_of(country))
