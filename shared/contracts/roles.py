"""The roles of people. Each request declares the roles that may send it; `docs/permissions.md` is the table."""

from enum import StrEnum


class Role(StrEnum):
    """The roles: the first three at a company, the last two at customs, the others at the ministry."""

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
    CUSTOMS_OFFICER = "customs_officer"
