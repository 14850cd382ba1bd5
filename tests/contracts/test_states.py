"""A service's domain and its contracts know the same states: neither has one that the other cannot say."""

import json
from enum import StrEnum
from pathlib import Path
from typing import get_args

import pytest

from services.certificates.domain import exporter, life_cycle, message, product
from services.certificates.reference_data import ReferenceData
from services.registry.companies.domain import life_cycle as registration
from services.registry.identity.domain import user
from services.registry.mandates.domain import mandate
from shared.contracts.certificates.content import CertificateActKind
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.certificates.lists import Side as ThreadSide
from shared.contracts.certificates.products import CriterionKind, ProductStatus
from shared.contracts.gateway.transmissions import NEXT_CODES, StatusCode
from shared.contracts.registry.importing import FormerStatus
from shared.contracts.registry.mandates import MandateStatus, Scope, Side
from shared.contracts.registry.particulars import DocumentKind
from shared.contracts.registry.registrations import RegistrationStatus, RenewalStatus
from shared.contracts.registry.users import UserStatus
from shared.contracts.roles import Role

SERVICES = Path(__file__).parents[2] / "services"


def values(states: type[StrEnum]) -> set[str]:
    return {state.value for state in states}


@pytest.mark.parametrize(
    ("domain", "contract"),
    [
        (mandate.Status, MandateStatus),
        (mandate.Side, Side),
        (registration.Status, RegistrationStatus),
        (user.Status, UserStatus),
        (life_cycle.Status, CertificateStatus),
        (message.Side, ThreadSide),
        (product.ProductStatus, ProductStatus),
    ],
    ids=lambda states: f"{states.__module__.rsplit('.')[-1]}.{states.__name__}",
)
def test_domain_and_contract_have_the_same_states(domain: type[StrEnum], contract: type[StrEnum]) -> None:
    assert values(domain) == values(contract)


def test_a_renewal_has_the_same_states_unless_nothing_was_asked() -> None:
    assert values(registration.Asked) - {registration.Asked.NOTHING.value} == values(RenewalStatus)


def test_a_former_registration_has_a_state_of_a_registration() -> None:
    assert values(FormerStatus) <= values(RegistrationStatus)


def test_certificates_keeps_states_of_a_registration() -> None:
    assert values(exporter.Standing) <= values(RegistrationStatus)


def test_every_state_of_the_domain_has_its_row_in_the_table_of_acts() -> None:
    assert set(mandate.ALLOWED) == set(mandate.Status)
    assert set(user.ALLOWED) == set(user.Status)
    assert set(life_cycle.ALLOWED) == set(life_cycle.Status)
    assert {status for status, _ in registration.ALLOWED} == set(registration.Status)
    for act in life_cycle.Act:
        assert any(act in acts for acts in life_cycle.ALLOWED.values()), act


def test_the_history_of_a_certificate_knows_every_act_and_the_first_draft() -> None:
    assert values(life_cycle.Act) | {CertificateActKind.DRAFT.value} == values(CertificateActKind)


def test_every_code_of_a_transmission_has_its_row_and_can_be_reached() -> None:
    assert set(NEXT_CODES) == {None, *StatusCode}
    reached = {code for codes in NEXT_CODES.values() for code in codes}
    assert reached == set(StatusCode)


def test_the_roles_of_the_domain_are_those_of_the_contracts() -> None:
    assert values(Role) == user.COMPANY_ROLES | user.MINISTRY_ROLES | user.CUSTOMS_ROLES
    (roles, *_) = get_args(Scope)
    assert {role for each in get_args(roles) for role in get_args(each)} <= user.COMPANY_ROLES


def test_the_data_files_name_kinds_that_the_contracts_have() -> None:
    (requirements, *_) = json.loads((SERVICES / "registry/data/requirements.json").read_text())
    assert set(requirements["documents"]) <= values(DocumentKind)
    for form in ReferenceData.load().forms:
        assert form.criteria <= values(CriterionKind)


def test_tracking_explains_every_code_of_a_transmission() -> None:
    assert values(StatusCode) <= set(json.loads((SERVICES / "tracking/data/codes.json").read_text()))
