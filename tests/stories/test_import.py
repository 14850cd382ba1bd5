"""A ministry imports its former system, and its exporters continue on the first day."""

import asyncio
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from cli.commands.audit import audit
from cli.commands.audit_trail import newest
from cli.commands.imports import CERTIFICATES, PRODUCTS, REGISTRATIONS, USERS, Importer, Kind, check, import_rows
from cli.demo.accounts import Account, Authenticator, Mailbox
from cli.demo.consignment import Journey
from cli.demo.journeys import ZONE
from cli.demo.people import Exporter, Person, follow_invitation, until
from cli.import_files import read_rows
from cli.target import CommandFailed, Where
from shared.bus.client import AskRefused
from shared.contracts.audit_log import FindActs
from shared.contracts.certificates.content import CopyCertificate
from shared.contracts.certificates.importing import ListFormerCertificates
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.operations import MAX_KEYS, ListKeys
from shared.contracts.registry.users import InviteOfficer
from tests.certificates.former import a_former_certificate, a_former_item, a_former_product
from tests.registry.former import a_former_company, a_former_person, a_former_user
from tests.stories.conftest import RunningSystem, to

pytestmark = pytest.mark.slow

COMPANIES = 30


async def another_administrator(system: RunningSystem, authenticator: Authenticator) -> Person:
    """A new administrator, with an authenticator whose codes are unused."""
    account = Account(f"{uuid4().hex[:8]}@ministry.example", f"{uuid4()}", authenticator)
    invitation = InviteOfficer(user_id=uuid4(), name="Importer", email=account.email, roles=("administrator",), office="PNH")
    await system.ministry.administrator.ask(invitation)
    return await follow_invitation(system.portal, account, Mailbox(system.stack.mail_dir))


async def an_importer(system: RunningSystem, tmp_path: Path) -> Importer:
    """A new administrator, with the password and the authenticator in files."""
    account = (await another_administrator(system, Authenticator(tmp_path / "authenticator"))).client.account
    password = tmp_path / "password"
    password.write_text(account.password)
    return Importer(account.email, password, tmp_path / "authenticator")


def former_companies(today: date) -> list[Any]:
    """Thirty companies, one of them suspended and one expired, and one invalid company."""
    days = {"valid_from": f"{today - timedelta(days=900)}", "valid_until": f"{today + timedelta(days=200)}"}
    person = a_former_person(roles=["company_administrator", "preparer", "signatory"])
    companies = [a_former_company(**days, users=[person]), *(a_former_company(**days) for _ in range(COMPANIES - 3))]
    companies.append(a_former_company(**days, status="suspended", reason="The factory was closed."))
    companies.append(a_former_company(**days | {"valid_until": f"{today - timedelta(days=1)}"}, status="expired"))
    return [*companies, a_former_company(**days, district="9999")]


async def imported(by: Person, kind: Kind, file: Path, *, dry_run: bool = False) -> list[str]:
    """Imports a file as an administrator; returns the outcome of every row."""
    rows = read_rows(file, kind.part)
    await import_rows(kind, rows, by.client, by.bus, dry_run=dry_run)
    return [row.report.outcome.value for row in rows if row.report]


async def test_on_the_first_day_an_exporter_of_the_former_system_submits_a_certificate(
    system: RunningSystem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where, today = Where(root=system.stack.root), datetime.now(ZONE).date()
    invited = an_importer(system, tmp_path), another_administrator(system, Authenticator())
    by, administrator = await asyncio.gather(*invited)  # one code confirms both invitations
    file, report = tmp_path / "companies.jsonl", tmp_path / "report.json"
    companies = former_companies(today)
    file.write_text("\n".join(company.model_dump_json(exclude_none=True) for company in companies))

    dry_run = await imported(administrator, REGISTRATIONS, file, dry_run=True)
    assert await REGISTRATIONS.import_file(file, by=by, where=where, invite=True, report=report) == 1

    done = json.loads(report.read_text())
    assert [row["outcome"] for row in done] == dry_run == ["imported"] * COMPANIES + ["refused"]
    assert "district_unknown" in capsys.readouterr().out
    ids = [row["id"] for row in done]
    assert await imported(administrator, REGISTRATIONS, file) == ["unchanged"] * COMPANIES + ["refused"]
    people = [a_former_user(), a_former_user(roles=["preparer"], company_tax_number=companies[0].tax_number)]
    (tmp_path / "people.jsonl").write_text("\n".join(person.model_dump_json() for person in people))
    assert await imported(administrator, USERS, tmp_path / "people.jsonl") == ["imported"] * 2

    account = Account(companies[0].users[0].email, f"{uuid4()}")
    person = await follow_invitation(system.portal, account, Mailbox(system.stack.mail_dir))
    journey = await Journey.begin(to("VN"), Exporter(person, UUID(ids[0])), system.ministry, today)
    assert (await journey.submit()).status is CertificateStatus.SUBMITTED

    product = a_former_product(exporter_id=ids[0])
    former = a_former_certificate(exporter_id=ids[0], items=[a_former_item(product_former_id=product.former_id)])
    (tmp_path / "products.jsonl").write_text(product.model_dump_json(exclude_none=True))
    (tmp_path / "certificates.jsonl").write_text(former.model_dump_json(exclude_none=True))
    assert await imported(administrator, PRODUCTS, tmp_path / "products.jsonl") == ["imported"]
    assert await imported(administrator, CERTIFICATES, tmp_path / "certificates.jsonl") == ["imported"]
    (listed,) = (await person.ask(ListFormerCertificates(exporter_id=UUID(ids[0])))).certificates
    copy = await person.ask(CopyCertificate(certificate_id=listed.certificate_id))
    assert (copy.items[0].description, copy.problems) == (product.description, ())

    async def known() -> bool | None:
        facts = ("exporters", "suspended", "expired")
        questions = [system.operator.ask(ListKeys(fact=fact, limit=MAX_KEYS), service="certificates") for fact in facts]
        exporters, suspended, expired = [set((await each).keys) for each in questions]
        return True if set(ids[:-1]) <= exporters and ids[-3] in suspended and ids[-2] in expired else None

    await until(known, "certificates to know every company")
    assert await audit(where=where) == 0
    acts = await newest(system.operator, "registry", FindActs(), 100)
    assert [act.roles for act in acts if act.act.startswith("Import") and act.outcome == "done"] == ["administrator"] * 3
    acts = await newest(system.operator, "certificates", FindActs(), 100)
    assert [act.roles for act in acts if act.act.startswith("Import") and act.outcome == "done"] == ["administrator"] * 2


async def test_a_user_who_is_not_an_administrator_imports_nothing(system: RunningSystem, tmp_path: Path) -> None:
    (tmp_path / "people.jsonl").write_text(a_former_user().model_dump_json())
    rows = read_rows(tmp_path / "people.jsonl", USERS.part)
    reviewer = system.ministry.reviewer.people[0].client

    with pytest.raises(CommandFailed, match="is not an administrator of the ministry"):
        await import_rows(USERS, rows, reviewer, system.portal)
    with pytest.raises(AskRefused, match="role_required"):
        await check(USERS, [rows], reviewer)

    assert [row.report for row in rows] == [None]
