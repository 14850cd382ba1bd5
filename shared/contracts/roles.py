"""The roles that people have. What each of them may ask is declared by the requests: `docs/permissions.md` shows it whole."""

from enum import StrEnum


class Role(StrEnum):
    """What a person may do: the first three at a company, the last at customs, the others at the ministry."""

    COMPANY_ADMINISTRATOR = "company_administrator"
    PREPARER = "preparer"
    SIGNATORY = "signatory"
    REGISTRATION_OFFICER = "registration_officer"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    CASHIER = "cashier"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    CUSTOMS_VIEWER = "customs_viewer"
