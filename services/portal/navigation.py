"""The links at the top of every page, by the roles of the person."""

from collections.abc import Callable
from dataclasses import dataclass

from services.portal.browsers import Person
from shared.contracts.roles import Role

COMPANY = frozenset({Role.COMPANY_ADMINISTRATOR, Role.PREPARER, Role.SIGNATORY})
FILING = frozenset({Role.PREPARER, Role.SIGNATORY})
DECIDING = frozenset({Role.REVIEWER, Role.APPROVER})
REGISTERING = frozenset({Role.REGISTRATION_OFFICER})
CASHIERS = frozenset({Role.CASHIER})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
AUDITORS = frozenset({Role.AUDITOR})
CUSTOMS = frozenset({Role.CUSTOMS_VIEWER, Role.CUSTOMS_OFFICER})
MINISTRY = DECIDING | REGISTERING | CASHIERS | ADMINISTRATORS | AUDITORS


@dataclass(frozen=True)
class Link:
    """A link of the navigation. `here`: whether the page is below it."""

    text: str
    path: str
    here: bool


def links_for(person: Person | None, path: str, _: Callable[[str], str]) -> list[Link]:
    """The links that a person may follow."""
    if person is None or person.enrolling:
        return []
    every: list[tuple[str, str, frozenset[Role]]] = [
        (_("Home"), "/portal/", COMPANY | MINISTRY | CUSTOMS),
        (_("Queue"), "/portal/queue", DECIDING),
        (_("Certificates"), "/portal/certificates", COMPANY | DECIDING | AUDITORS),
        (_("Products"), "/portal/products", COMPANY | DECIDING),
        (_("Origin"), "/portal/origin", FILING | DECIDING | AUDITORS),
        (_("Payments"), "/portal/payments", COMPANY),
        (_("Counter"), "/portal/cashier", CASHIERS | AUDITORS),
        (_("Company"), "/portal/company", COMPANY),
        (_("Registrations"), "/portal/registrations", REGISTERING | ADMINISTRATORS | AUDITORS),
        (_("Officers"), "/portal/officers", ADMINISTRATORS | AUDITORS),
        (_("Tariff"), "/portal/tariff", COMPANY | MINISTRY),
        (_("Received documents"), "/portal/received", CUSTOMS | AUDITORS),
        (_("Originals"), "/portal/originals", DECIDING | AUDITORS),
        (_("Certified exporters"), "/portal/certified-exporters", AUDITORS),
        (_("Verifications"), "/portal/verifications", DECIDING | AUDITORS | CUSTOMS),
        (_("Partners"), "/portal/partners", DECIDING | ADMINISTRATORS | AUDITORS | CUSTOMS),
        (_("Audit"), "/portal/audit", AUDITORS),
    ]
    found, seen = [], set()
    for text, address, roles in every:
        if person.has(*roles) and address not in seen:
            seen.add(address)
            below = address != "/portal/" and path.replace("/portal/filing", "/portal/certificates").startswith(address)
            found.append(Link(text, address, path == address or below))
    return found
