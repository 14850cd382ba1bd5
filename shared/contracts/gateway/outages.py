"""Outages of partners, and the numbered notices and prints that exporters get while one is out."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.fields import Country, Cursor, Instant, Reference
from shared.contracts.gateway.transmissions import StatusCode
from shared.contracts.messages import Answer, Command, Contract, Event, Question
from shared.contracts.roles import Role

NOTICE_TYPE = "co-notice+jws"
"""The `typ` in the header of a signed notice. The key signs messages too, which are XML."""
MAX_TOKEN = 1500
"""Maximum characters of a signed notice."""

ContingencyNumber = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-N-[0-9]{4}-[0-9]{6,9}$")]
"""The number of a notice: the country, N, the year, and a serial number, as in `KH-N-2026-000001`."""
PublicKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/=]{80,200}$")]
"""A public key on P-256: SubjectPublicKeyInfo (DER) in base64."""


class ContingencyKind(StrEnum):
    """A signed notice for the buyer, or a print of the certificate."""

    NOTICE = "notice"
    PRINT = "print"


class PartnerOutageChanged(Event):
    """A partner is out for longer than the set time, or its outage has ended at `ended_at`.

    `since`: since when its gateway does not answer.
    """

    subject: ClassVar[str] = "evt.partner-outage.changed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"tracking"})
    country: Country
    since: Instant
    ended_at: Instant | None = None


class ContingencyIssued(Event):
    """An exporter got a numbered notice, because the partner is out.

    `transmission`: the number of the transmission that waits. `token`: these facts with the signature of the gateway (JWS);
    `public_key` verifies it.
    """

    subject: ClassVar[str] = "evt.contingency.issued.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"tracking"})
    about: ClassVar[str] = "certificate_id"
    number: ContingencyNumber
    kind: ContingencyKind
    certificate_id: UUID
    reference: Reference
    destination: Country
    transmission: Annotated[int, Field(ge=1)]
    out_since: Instant
    token: Annotated[str, StringConstraints(max_length=MAX_TOKEN)]
    public_key: PublicKey


class ContingencyState(Answer):
    """A notice. `token`: its facts with the signature of the gateway (JWS).

    `code`: the last code of the transmission; `reconciled_at`: when the register was closed, because the partner has the
    document (REC) or it was cancelled.
    """

    about: ClassVar[str] = "certificate_id"
    number: str
    kind: ContingencyKind
    certificate_id: UUID
    reference: str
    destination: str
    out_since: datetime
    issued_at: datetime
    token: str
    code: StatusCode | None = None
    reconciled_at: datetime | None = None


class IssueContingency(Command):
    """An exporter gets a notice about a certificate that waits for a partner that is out. A second one is the same."""

    subject: ClassVar[str] = "cmd.contingency.issue.v1"
    answer: ClassVar[type[Answer]] = ContingencyState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY, Role.REVIEWER, Role.APPROVER})
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class GetContingency(Question):
    """Which notice about this certificate was issued last?"""

    subject: ClassVar[str] = "qry.contingency.get.v1"
    answer: ClassVar[type[Answer]] = ContingencyState
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR})
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class ListedContingency(Contract):
    """A row of the register. `issued_by`: the person; None if the row was restored."""

    number: str
    kind: ContingencyKind
    certificate_id: UUID
    reference: str
    destination: str
    issued_at: datetime
    issued_by: UUID | None = None
    code: StatusCode | None = None
    reconciled_at: datetime | None = None


class Contingencies(Answer):
    """One page of the register, newest first."""

    contingencies: tuple[ListedContingency, ...]
    next: str | None = None


class ListContingencies(Question):
    """Which notices and prints were issued? `open`: only those that are not reconciled."""

    subject: ClassVar[str] = "qry.contingencies.list.v1"
    answer: ClassVar[type[Answer]] = Contingencies
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR})
    open: bool = False
    after: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 25
