"""How long certificates stay in each status, by office and destination."""

from typing import ClassVar

from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.fields import Office
from shared.contracts.messages import Answer, Contract, Question
from shared.contracts.roles import Role


class StatusTime(Contract):
    """The median time in a status, of `count` certificates. `destination`: None for all destinations together."""

    status: CertificateStatus
    destination: str | None = None
    count: int
    median_seconds: int


class StatusTimes(Answer):
    """The medians, each of the last 1,000 certificates that have left the status."""

    times: tuple[StatusTime, ...]


class ListStatusTimes(Question):
    """How long do certificates stay in each status? Of an office, or of all offices."""

    subject: ClassVar[str] = "qry.status-times.list.v1"
    answer: ClassVar[type[Answer]] = StatusTimes
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.AUDITOR})
    office: Office | None = None
