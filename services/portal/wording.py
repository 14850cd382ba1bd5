"""The words of pages for codes: statuses, roles, offices, countries, boxes and acts, in the language of the person."""

from collections.abc import Callable
from functools import cached_property

from services.portal.names import Names
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.gateway.transmissions import E_FORM_D, StatusCode
from shared.contracts.registry.particulars import DocumentKind, Place
from shared.contracts.registry.registrations import RegistrationStatus
from shared.contracts.registry.users import UserStatus
from shared.contracts.roles import Role
from shared.web.languages import Language

Tag = tuple[str, str]
"""A text, and the kind of the tag that shows it."""


DECIDED = frozenset({StatusCode.UTL, StatusCode.UTP, StatusCode.DEN, StatusCode.NOT, StatusCode.CAN})
"""The codes after which customs decide nothing more on a received document."""


class Wording:
    """What codes are called in one language. An unknown code is shown as it is."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._names = Names(language)
        self.gettext: Callable[[str], str] = language.gettext

    def country(self, code: str) -> str:
        """The name of a country."""
        return self._names.country(code)

    def office(self, code: str) -> str:
        """The name of an office, with its code."""
        name = self._names.office(code)
        return f"{name} ({code})" if name != code else code

    def status(self, status: CertificateStatus) -> Tag:
        """The status of a certificate."""
        _ = self.gettext
        return {
            CertificateStatus.DRAFT: (_("Draft"), "still"),
            CertificateStatus.SUBMITTED: (_("Submitted"), ""),
            CertificateStatus.RETURNED: (_("Returned"), "waits"),
            CertificateStatus.REVIEWED: (_("Reviewed"), ""),
            CertificateStatus.APPROVED: (_("Approved"), "waits"),
            CertificateStatus.ISSUED: (_("Issued"), "good"),
            CertificateStatus.REJECTED: (_("Rejected"), "bad"),
            CertificateStatus.WITHDRAWN: (_("Withdrawn"), "still"),
            CertificateStatus.DISCARDED: (_("Discarded"), "still"),
            CertificateStatus.CANCELLED: (_("Cancelled"), "bad"),
        }[status]

    def registration(self, status: RegistrationStatus) -> Tag:
        """The status of a registration."""
        _ = self.gettext
        return {
            RegistrationStatus.APPLIED: (_("Applied"), ""),
            RegistrationStatus.RETURNED: (_("Returned"), "waits"),
            RegistrationStatus.REFUSED: (_("Refused"), "bad"),
            RegistrationStatus.ACTIVE: (_("Active"), "good"),
            RegistrationStatus.SUSPENDED: (_("Suspended"), "bad"),
            RegistrationStatus.EXPIRED: (_("Expired"), "still"),
        }[status]

    def account(self, status: UserStatus) -> Tag:
        """The status of an account."""
        _ = self.gettext
        return {
            UserStatus.INVITED: (_("Invited"), "waits"),
            UserStatus.ACTIVE: (_("Active"), "good"),
            UserStatus.DEACTIVATED: (_("Deactivated"), "still"),
        }[status]

    def role(self, role: Role) -> str:
        """A role."""
        return self.roles[role]

    @cached_property
    def roles(self) -> dict[Role, str]:
        """Every role."""
        _ = self.gettext
        return {
            Role.COMPANY_ADMINISTRATOR: _("Company administrator"),
            Role.PREPARER: _("Preparer"),
            Role.SIGNATORY: _("Signatory"),
            Role.REGISTRATION_OFFICER: _("Registration officer"),
            Role.REVIEWER: _("Reviewer"),
            Role.APPROVER: _("Approver"),
            Role.CASHIER: _("Cashier"),
            Role.ADMINISTRATOR: _("Administrator"),
            Role.AUDITOR: _("Auditor"),
            Role.CUSTOMS_VIEWER: _("Customs viewer"),
            Role.CUSTOMS_OFFICER: _("Customs officer"),
        }

    def document(self, kind: DocumentKind) -> str:
        """A kind of document."""
        _ = self.gettext
        return {
            DocumentKind.CERTIFICATE_OF_INCORPORATION: _("Certificate of incorporation"),
            DocumentKind.GSP_MFN_CERTIFICATE: _("GSP/MFN certificate"),
            DocumentKind.LETTER_OF_AUTHORISATION: _("Letter of authorisation"),
            DocumentKind.IDENTITY_DOCUMENT: _("Identity document"),
            DocumentKind.PHOTO: _("Photo of the representative"),
        }[kind]

    def registration_act(self, act: str) -> str:
        """What was done with a registration."""
        _ = self.gettext
        return {
            "apply": _("Applied"),
            "import": _("Imported from the former register"),
            "correct": _("Corrected"),
            "attach": _("Document attached"),
            "hand in": _("Submitted again"),
            "renew": _("Renewal applied for"),
            "approve": _("Registered"),
            "return": _("Returned"),
            "refuse": _("Refused"),
            "suspend": _("Suspended"),
            "reinstate": _("Reinstated"),
            "expire": _("Expired"),
        }.get(act, act)

    def received(self, code: StatusCode | None, kind: str) -> Tag:
        """The state of a received document. Customs take no decision on one that is no certificate: it is with them."""
        if kind != E_FORM_D and code is StatusCode.REC:
            return self.gettext("With customs"), "good"
        return self.code(code)

    def code(self, code: StatusCode | None) -> Tag:
        """The decision of customs on a received document."""
        _ = self.gettext
        if code not in DECIDED:
            return _("Not decided yet"), "waits"
        return {
            StatusCode.UTL: (_("Utilised"), "good"),
            StatusCode.UTP: (_("Utilised in part"), "good"),
            StatusCode.DEN: (_("Preference denied"), "bad"),
            StatusCode.NOT: (_("Rejected"), "bad"),
            StatusCode.CAN: (_("Cancelled"), "bad"),
        }[code]

    def place(self, place: Place) -> str:
        """A district with its province."""
        return self._language.either(f"{place.name_en}, {place.province_en}", f"{place.name_km}, {place.province_km}")

    def waiting(self, code: str) -> str:
        """What a certificate waits for."""
        _ = self.gettext
        return {
            "submission": _("submission by the exporter"),
            "review": _("review"),
            "approval": _("approval"),
            "correction": _("correction by the exporter"),
            "payment": _("payment of the fee"),
        }.get(code) or self._language.refusal(code, {}, code.replace("_", " "))

    @cached_property
    def boxes(self) -> dict[int, str]:
        """The boxes of the form that an exporter fills in (ATIGA Annex 7)."""
        _ = self.gettext
        return {
            1: _("Box 1: exporter"),
            2: _("Box 2: consignee"),
            3: _("Box 3: transport"),
            6: _("Box 6: marks and numbers"),
            7: _("Box 7: packages and description"),
            8: _("Box 8: origin criterion"),
            9: _("Box 9: weight, quantity and FOB value"),
            10: _("Box 10: invoice"),
            11: _("Box 11: declaration by the exporter"),
            13: _("Box 13: kind of issue"),
        }
