"""Attachments of a certificate: the documents with which its data agree (ATIGA Annex 8, Rule 6)."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.fields import Instant, Line, Sha256
from shared.contracts.messages import Answer, Command, Contract, PutFile
from shared.contracts.roles import Role

PREPARERS = frozenset({Role.PREPARER, Role.SIGNATORY})


class AttachmentKind(StrEnum):
    """What a document is."""

    INVOICE = "invoice"
    PACKING_LIST = "packing_list"
    TRANSPORT_DOCUMENT = "transport_document"
    OTHER = "other"


class Attachment(Contract):
    """An attached document. `GetCertificateDocument` returns it by `sha256`."""

    kind: AttachmentKind
    name: str
    sha256: str
    size: int
    attached_at: Instant


class CertificateAttachments(Answer):
    """The attachments of a certificate, in the order in which they were attached."""

    certificate_id: UUID
    attachments: tuple[Attachment, ...]


class PutCertificateFile(PutFile):
    """Stores a chunk of a document of a certificate, by its exporter. `owner_id`: the certificate. At most 5 MB each."""

    subject: ClassVar[str] = "cmd.certificate-file.put.v1"
    asked_by: ClassVar[frozenset[Role]] = PREPARERS
    under_mandate: ClassVar[bool] = True
    limit: ClassVar[int] = 5 * 1024 * 1024


class AttachCertificateFile(Command):
    """The exporter attaches an uploaded PDF to a certificate that it may change. A duplicate changes nothing.

    The service examines the file first, so an officer opens only examined files.
    """

    subject: ClassVar[str] = "cmd.certificate-file.attach.v1"
    answer: ClassVar[type[Answer]] = CertificateAttachments
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = PREPARERS
    under_mandate: ClassVar[bool] = True
    secret: ClassVar[bool] = True  # the file is examined between two transactions, so the first can store no answer
    certificate_id: UUID
    kind: AttachmentKind
    sha256: Sha256
    name: Line


class RemoveCertificateFile(Command):
    """The exporter removes an attachment of a certificate that it may change. A duplicate changes nothing."""

    subject: ClassVar[str] = "cmd.certificate-file.remove.v1"
    answer: ClassVar[type[Answer]] = CertificateAttachments
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = PREPARERS
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    sha256: Sha256
