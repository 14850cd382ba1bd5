"""Rows of a former system, with defaults."""

from typing import Any
from uuid import uuid4

from shared.contracts.registry.importing import ImportedRegistration, ImportedUser


def a_former_company(**changes: Any) -> ImportedRegistration:
    """A company that was registered in the former system, with one person who does everything."""
    number = uuid4().int % 10**12
    defaults: dict[str, Any] = {
        "former_id": f"MOC-{number}",
        "tax_number": f"K{number:012}",
        "status": "active",
        "valid_from": "2025-03-15",
        "valid_until": "2027-03-14",
        "company_name": "Angkor Garment Co., Ltd.",
        "company_name_km": "ក្រុមហ៊ុន អង្គរ កាត់ដេរ",
        "address": "National Road 4, No. 12",
        "address_km": "ផ្លូវជាតិលេខ៤",
        "district": "1209",
        "phone": "+855 12 345 678",
        "contact_email": f"office-{number}@company.example",
        "representative": {"name": "Chan Dara", "name_km": "ចាន់ ដារ៉ា", "position": "Director", "born_on": "1985-02-28"},
        "users": [a_former_person()],
    }
    return ImportedRegistration.model_validate(defaults | changes)


def a_former_person(**changes: Any) -> dict[str, Any]:
    """A person of a company."""
    number = uuid4().hex[:12]
    defaults = {"former_id": f"U-{number}", "name": "ចាន់ ដារ៉ា", "email": f"{number}@company.example"}
    return defaults | {"roles": ["company_administrator", "signatory"]} | changes


def a_former_user(**changes: Any) -> ImportedUser:
    """An officer of the former system, unless another organisation is named."""
    number = uuid4().hex[:12]
    defaults: dict[str, Any] = {"former_id": f"U-{number}", "name": "សុខ វណ្ណា", "email": f"{number}@ministry.example"}
    office = {} if "company_tax_number" in changes else {"office": "PNH"}
    return ImportedUser.model_validate(defaults | {"roles": ["reviewer"]} | office | changes)
