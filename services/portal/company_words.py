"""The words of a company's pages for codes: what is missing, products, mandates, acts on a registration."""

from collections.abc import Callable, Mapping

from services.portal.wording import Tag, Wording
from shared.contracts.certificates.products import CriterionKind, ProductStatus
from shared.contracts.registry.mandates import MandateStatus
from shared.contracts.registry.particulars import DocumentKind
from shared.contracts.registry.registrations import RegistrationStatus, RenewalStatus
from shared.contracts.roles import Role
from shared.web.languages import Language

DOCUMENTS = tuple(DocumentKind)
COMPANY_ROLES = (Role.PREPARER, Role.SIGNATORY, Role.COMPANY_ADMINISTRATOR)
"""The roles of people of a company, in the order of the forms."""


class CompanyWords(Wording):
    """What codes are called on the pages of a company."""

    def __init__(self, language: Language) -> None:
        super().__init__(language)
        _: Callable[[str], str] = language.gettext
        self.documents: Mapping[str, str] = {kind: self.document(kind) for kind in DocumentKind}
        self.particulars: Mapping[str, str] = {
            "company_name": _("Name of the company in English"),
            "company_name_km": _("Name of the company in Khmer"),
            "address": _("Address in English"),
            "address_km": _("Address in Khmer"),
            "district": _("District"),
            "phone": _("Telephone"),
            "contact_email": _("E-mail address for customers"),
            "representative": _("Representative"),
        }
        self.role_hints: Mapping[Role, str] = {
            Role.PREPARER: _("fills in certificates and registers products"),
            Role.SIGNATORY: _("also submits certificates and signs for the company"),
            Role.COMPANY_ADMINISTRATOR: _("invites colleagues and decides on mandates"),
        }
        self.own_registration: Mapping[str, Tag] = {
            RegistrationStatus.APPLIED: (_("Waits for the ministry"), "waits"),
            RegistrationStatus.RETURNED: (_("Returned to you"), "waits"),
            RegistrationStatus.REFUSED: (_("Refused"), "bad"),
            RegistrationStatus.ACTIVE: (_("Registered"), "good"),
            RegistrationStatus.SUSPENDED: (_("Suspended"), "bad"),
            RegistrationStatus.EXPIRED: (_("Expired"), "bad"),
        }
        self.renewal: Mapping[str, Tag] = {
            RenewalStatus.APPLIED: (_("Renewal waits for the ministry"), "waits"),
            RenewalStatus.RETURNED: (_("Renewal returned to you"), "waits"),
        }
        self.mandates: Mapping[str, Tag] = {
            MandateStatus.PROPOSED: (_("Proposed"), "waits"),
            MandateStatus.GRANTED: (_("In force"), "good"),
            MandateStatus.REVOKED: (_("Revoked"), "bad"),
            MandateStatus.ENDED: (_("Ended"), "still"),
        }
        self.products: Mapping[str, Tag] = {
            ProductStatus.REGISTERED: (_("Waits for the ministry"), "waits"),
            ProductStatus.APPROVED: (_("Approved"), "good"),
            ProductStatus.RENEWING: (_("Renewal waits for the ministry"), "waits"),
            ProductStatus.REFUSED: (_("Refused"), "bad"),
        }
        self.criteria: Mapping[str, tuple[str, str]] = {
            CriterionKind.WO: (_("Wholly obtained"), _("Grown, born, caught or mined in Cambodia, such as rice or fish.")),
            CriterionKind.RVC: (
                _("Regional value content"),
                _("At least 40 % of the price (FOB) comes from ASEAN countries. You give the percentage."),
            ),
            CriterionKind.CC: (
                _("Change of chapter"),
                _("All materials from outside ASEAN have another HS chapter: the first 2 digits differ."),
            ),
            CriterionKind.CTH: (
                _("Change of tariff heading"),
                _("All materials from outside ASEAN have another HS heading: the first 4 digits differ."),
            ),
            CriterionKind.CTSH: (
                _("Change of tariff subheading"),
                _("All materials from outside ASEAN have another HS subheading: the first 6 digits differ."),
            ),
            CriterionKind.SP: (
                _("Specific process"),
                _("The rule of the product names a process, such as cutting and sewing of garments."),
            ),
        }

    def missing(self, names: tuple[str, ...]) -> list[str]:
        """The names of particulars and documents that are missing."""
        return [self.particulars.get(name) or self.documents.get(name, name) for name in names]
