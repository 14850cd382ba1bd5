"""The companies that the demo leaves: registered, suspended, waiting, returned and refused; their people and a mandate."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from cli.demo.accounts import Mailbox
from cli.demo.people import Exporter, Ministry, Person, follow_invitation
from cli.demo.sign_ins import COMPANY_PEOPLE, OFFICERS, SignIn, SignIns
from shared.bus.client import AskRefused, BusClient
from shared.contracts.messages import Command
from shared.contracts.registry.mandates import AcceptMandate, ProposeMandate
from shared.contracts.registry.particulars import Representative
from shared.contracts.registry.registrations import (
    ApplyForRegistration,
    ApproveRegistration,
    RefuseRegistration,
    ReturnRegistration,
    SuspendRegistration,
)
from shared.contracts.registry.users import InviteColleague, InviteOfficer
from shared.contracts.roles import Role

CUSTOMS_OFFICE, HEADQUARTERS = "GDCE", "PNH"
NO_ACCOUNT = "sign_in_failed"
APPROVED = frozenset({"approved", "suspended"})
DONE_BEFORE = frozenset(
    {
        "registration_not_allowed_now",
        "registration_already_decided",
        "mandate_id_taken",
        "mandate_not_allowed_now",
        "product_id_taken",
        "product_already_decided",
    }
)
"""The refusals of a step that an interrupted run has done already."""
MANDATE_DAYS = 180


@dataclass(frozen=True)
class Company:
    """A company of the demo and its first person."""

    row: dict[str, Any]
    exporter_id: UUID
    person: Person

    @property
    def key(self) -> str:
        """The name of the company in the data, and of its first person's sign-in."""
        return str(self.row["key"])

    @property
    def tax_number(self) -> str:
        """Its tax number."""
        return tax_number_of(self.exporter_id)


def tax_number_of(exporter_id: UUID) -> str:
    """A tax number that belongs to this company only."""
    return f"K{exporter_id.int % 10**12:012}"


async def unless_done(answer: Awaitable[Any]) -> Any | None:
    """The answer to a command; None if an interrupted run has done it already. Raises AskRefused."""
    try:
        return await answer
    except AskRefused as refused:
        if refused.refusal.code not in DONE_BEFORE:
            raise
        return None


async def sign_in_or_none(bus: BusClient, sign_ins: SignIns, name: str) -> Person | None:
    """Signs a person in; None if there is no account with this address and password."""
    try:
        return await Person.sign_in(bus, sign_ins.account(name))
    except AskRefused as refused:
        if refused.refusal.code != NO_ACCOUNT:
            raise
        return None


async def demo_officers(ministry: Ministry, sign_ins: SignIns, mailbox: Mailbox) -> dict[str, Person]:
    """The officers who can sign in, by name. The administrator invites those who have no account; one code confirms all."""

    async def one(officer: SignIn) -> Person:
        bus = ministry.administrator.bus
        if known := await sign_in_or_none(bus, sign_ins, officer.name):
            return known
        office = CUSTOMS_OFFICE if Role.CUSTOMS_OFFICER in officer.roles else HEADQUARTERS
        user_id = sign_ins.id_of(officer.name)
        invitation = InviteOfficer(
            user_id=user_id, name=officer.full_name, email=officer.email, roles=officer.roles, office=office
        )
        await ministry.administrator.ask(invitation)
        return await follow_invitation(bus, sign_ins.account(officer.name), mailbox)

    people = await asyncio.gather(*map(one, OFFICERS))
    return {officer.name: person for officer, person in zip(OFFICERS, people, strict=True)}


async def apply(bus: BusClient, sign_ins: SignIns, row: dict[str, Any]) -> Company:
    """The company applies with its documents, unless it has an account."""
    exporter_id = sign_ins.id_of(f"company {row['key']}")
    if known := await sign_in_or_none(bus, sign_ins, row["key"]):
        return Company(row, exporter_id, known)
    account = sign_ins.account(row["key"])
    await bus.ask(
        ApplyForRegistration(
            exporter_id=exporter_id,
            company_name=row["name"],
            company_name_km=row["name_km"],
            address=row["address"],
            district=row["district"],
            phone="+855 23 123 456",
            tax_number=tax_number_of(exporter_id),
            administrator_name=row["person"],
            representative=Representative(name=row["person"], name_km=row["person_km"], position="Director"),
            email=account.email,
            password=account.password,
        )
    )
    company = Company(row, exporter_id, await Person.sign_in(bus, account))
    await Exporter(company.person, exporter_id).attach_documents()
    return company


async def decide(companies: list[Company], ministry: Ministry, officer: Person) -> None:
    """Officers approve, refuse and return the applications, as the data say. One code confirms all that need one."""
    confirmed: list[Command] = []
    for company in companies:
        if company.row["ends"] in APPROVED:
            confirmed.append(ApproveRegistration(exporter_id=company.exporter_id))
        elif company.row["ends"] == "refused":
            confirmed.append(RefuseRegistration(exporter_id=company.exporter_id, reason=company.row["because"]))
        elif company.row["ends"] == "returned":
            remarks = ReturnRegistration(exporter_id=company.exporter_id, remarks=company.row["because"])
            await unless_done(officer.ask(remarks))
    deciding = ministry.registration_officer.next_officer()
    await asyncio.gather(*(unless_done(deciding.ask(command)) for command in confirmed))


async def suspend(companies: list[Company], ministry: Ministry) -> None:
    """An officer suspends the registrations that the data name."""
    reason = "The company has moved without notice. Please tell the ministry the new address."
    for company in companies:
        if company.row["ends"] == "suspended":
            command = SuspendRegistration(exporter_id=company.exporter_id, reason=reason)
            await unless_done(ministry.registration_officer.ask(command))


async def invite_colleague(company: Company, sign_ins: SignIns, mailbox: Mailbox) -> Person:
    """The company invites the person who prepares its certificates."""
    (colleague,) = [person for person in COMPANY_PEOPLE if person.roles]
    bus = company.person.bus
    if known := await sign_in_or_none(bus, sign_ins, colleague.name):
        return known
    user_id = sign_ins.id_of(colleague.name)
    invitation = InviteColleague(user_id=user_id, name=colleague.full_name, email=colleague.email, roles=colleague.roles)
    await company.person.ask(invitation)
    return await follow_invitation(bus, sign_ins.account(colleague.name), mailbox)


async def grant_mandate(exporter: Company, agent: Company, sign_ins: SignIns, today: date) -> UUID:
    """The exporter proposes a mandate and the agent accepts it. Returns its id."""
    proposal = ProposeMandate(
        mandate_id=sign_ins.id_of("mandate"),
        exporter_tax_number=exporter.tax_number,
        agent_tax_number=agent.tax_number,
        scope=(Role.PREPARER, Role.SIGNATORY),
        valid_until=today + timedelta(days=MANDATE_DAYS),
    )
    await unless_done(exporter.person.ask(proposal))
    await unless_done(agent.person.ask(AcceptMandate(mandate_id=proposal.mandate_id)))
    return proposal.mandate_id
