"""Documents that are attached to a certificate, such as its invoice (ATIGA Annex 8, Rule 6)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.refusals import Refused

MOST = 20
"""Attachments of one certificate (ours)."""


class TooManyAttachments(Refused):
    code = "too_many_attachments"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """An attached document. `name`: of the file, as the exporter calls it."""

    certificate_id: UUID
    sha256: str
    kind: str
    name: str
    size: int
    attached_at: datetime
    attached_by: UUID | None = None
