"""Refusals of acts on registrations."""

from shared.refusals import Refused


class RegistrationNotFound(Refused):
    code = "registration_not_found"


class NotAllowedNow(Refused):
    code = "registration_not_allowed_now"


class AlreadyDecided(NotAllowedNow):
    code = "registration_already_decided"


class DocumentsMissing(Refused):
    code = "registration_documents_missing"


class ParticularsMissing(Refused):
    code = "registration_particulars_missing"


class ChangedMeanwhile(Refused):
    code = "registration_changed_meanwhile"


class TooEarlyToRenew(Refused):
    code = "registration_not_renewable_yet"


class TaxNumberTaken(Refused):
    code = "tax_number_taken"


class ApplicationIdTaken(TaxNumberTaken):
    variant = "application_id"


class FormerCompanyLost(TaxNumberTaken):
    variant = "former_company_lost"


class CompanyUnknown(Refused):
    code = "company_unknown"


class CompanyNotImported(CompanyUnknown):
    variant = "not_imported"


class TaxNumberFixed(Refused):
    code = "tax_number_fixed"
