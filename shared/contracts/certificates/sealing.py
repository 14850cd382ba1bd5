"""Sealed certificates: their documents, the keys of the offices, and what the public check needs."""

import hashlib
import json
from base64 import urlsafe_b64decode
from datetime import date
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.certificates.lists import READERS
from shared.contracts.fields import MAX_FILE, Country, Instant, Line, Office, Reference, Sha256
from shared.contracts.messages import Answer, Command, Event, FileChunk, Question
from shared.contracts.roles import Role

CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 12
"""Characters of a verification code, without dashes."""

KeyId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,5}-[0-9a-f]{8}$")]
"""The id of a key: its office, and the begin of the SHA-256 of its certificate."""


def key_of_code(code: str, reference: str) -> bytes:
    """The AES-256 key under which the public site stores a summary. `code`: as printed; dashes and case do not matter."""
    plain = "".join(char for char in code.upper() if char in CODE_ALPHABET)
    return hashlib.sha256(f"{reference}\n{plain}".encode()).digest()


class DocumentKeyPublished(Event):
    """The certificate (X.509, as PEM) of the key with which an office seals. `withdrawn_since`: the key was stolen then.

    Its seals stay valid after the key is replaced. `version` is 2 for a withdrawn key.
    """

    subject: ClassVar[str] = "evt.document-key.published.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"tracking"})
    key_id: KeyId
    office: Office
    certificate: str
    withdrawn_since: Instant | None = None


class CertificateSealed(Event):
    """A PDF of a certificate was sealed. `sha256`: of the PDF. `summary`: encrypted under the verification code.

    `contingency_number`: the number of a contingency print; None for the certificate itself. `data_sha256`: the digests of the
    document as XML, one for each version of the messages; only with the certificate itself.
    """

    subject: ClassVar[str] = "evt.certificate.sealed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"tracking"})
    about: ClassVar[str] = "certificate_id"
    known_by: ClassVar[str] = "reference"
    certificate_id: UUID
    reference: Reference
    sha256: Sha256
    key_id: KeyId
    summary: str
    contingency_number: str | None = None
    data_sha256: Annotated[tuple[Sha256, ...], Field(max_length=20)] = ()


class CertificateDocument(FileChunk):
    """A chunk of a document of a certificate, and the SHA-256 of the whole."""

    sha256: Sha256


class GetCertificateDocument(Question):
    """The chunk of a document that starts at `offset`. Without `sha256`: the sealed certificate."""

    subject: ClassVar[str] = "qry.certificate-document.get.v1"
    answer: ClassVar[type[Answer]] = CertificateDocument
    read_by: ClassVar[frozenset[Role]] = READERS
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    sha256: Sha256 | None = None
    offset: int = Field(default=0, ge=0, le=MAX_FILE)


class CertificateCredential(Answer):
    """The data of a sealed certificate. `document`: every box as JSON, exactly as it was issued. `summary`: of its QR code.

    `credential`: a verifiable credential as JWT (W3C VC 2.0), from the offset of the question on. `next`: the offset of its
    next part; None if this is the last one. Only the first part has the `document`. `proof`: the Data Integrity proof of the
    same credential, as JSON (`ecdsa-jcs-2019`); None if a former release has sealed the certificate. `code`: the verification
    code. `channel`: how the document is exchanged; None if it is on paper only.
    """

    certificate_id: UUID
    document: str
    summary: str
    credential: str
    proof: str | None = None
    code: str
    key_id: KeyId
    sealed_at: Instant
    channel: str | None = None
    next: int | None = None


def credential_with_proof(data: CertificateCredential) -> dict[str, Any] | None:
    """The credential as JSON with its proof embedded (the payload of the JWT has the same claims); None without a proof."""
    if data.proof is None:
        return None
    payload = data.credential.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims | {"proof": json.loads(data.proof)}


class GetCertificateCredential(Question):
    """The data of a sealed certificate, for programs. `offset`: characters of the credential that were read already."""

    subject: ClassVar[str] = "qry.certificate-credential.get.v1"
    answer: ClassVar[type[Answer]] = CertificateCredential
    read_by: ClassVar[frozenset[Role]] = READERS
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    offset: int = Field(default=0, ge=0, le=MAX_FILE)


class PrintedDocument(Answer):
    """A document that was made on demand. `GetCertificateDocument` returns it by `sha256`."""

    certificate_id: UUID
    sha256: Sha256
    size: int


class PreviewCertificate(Command):
    """Makes the page of a certificate that is not issued, marked as a draft. Only the latest preview is stored.

    It is slow, and its answer is not stored: a duplicate makes the page again.
    """

    subject: ClassVar[str] = "cmd.certificate.preview.v1"
    answer: ClassVar[type[Answer]] = PrintedDocument
    about: ClassVar[str] = "certificate_id"
    audited: ClassVar[bool] = False
    secret: ClassVar[bool] = True
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER})
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY, Role.REVIEWER, Role.APPROVER})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class ContingencyCopy(Answer):
    """A numbered contingency print. `sha256`: of the PDF, as soon as it is made."""

    number: str
    certificate_id: UUID
    reference: Reference
    destination: Country
    reason: str
    printed_on: date
    printed_at: Instant
    printed_by: UUID | None = None
    sha256: Sha256 | None = None


class PrintContingencyCopy(Command):
    """Makes a numbered contingency print of an issued certificate, while the electronic exchange fails. `reason`: why.

    The numbers of an office and year have no gap.
    """

    subject: ClassVar[str] = "cmd.contingency-copy.print.v1"
    answer: ClassVar[type[Answer]] = ContingencyCopy
    about: ClassVar[str] = "certificate_id"
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.SIGNATORY, Role.APPROVER})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    reason: Line


class ContingencyCopyPrinted(Event):
    """A contingency print was registered with its number. The gateway closes it when the partner has the document."""

    subject: ClassVar[str] = "evt.contingency-copy.printed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"gateway"})
    about: ClassVar[str] = "certificate_id"
    known_by: ClassVar[str] = "reference"
    number: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,5}-[0-9]{4}-[0-9]{5,9}$")]
    certificate_id: UUID
    reference: Reference
    destination: Country
    printed_by: UUID | None = None


class ContingencyCopies(Answer):
    """Contingency prints, latest first."""

    copies: tuple[ContingencyCopy, ...]


class ListContingencyCopies(Question):
    """Which contingency prints were made of this certificate?"""

    subject: ClassVar[str] = "qry.contingency-copies.list.v1"
    answer: ClassVar[type[Answer]] = ContingencyCopies
    read_by: ClassVar[frozenset[Role]] = READERS
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
