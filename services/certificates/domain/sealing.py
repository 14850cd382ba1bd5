"""Refusals about sealed documents and contingency prints."""

from shared.refusals import Refused


class DocumentNotReady(Refused):
    code = "document_not_ready"


class NothingToPreview(Refused):
    code = "nothing_to_preview"


class NotIssued(Refused):
    code = "certificate_not_issued"
