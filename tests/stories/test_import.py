"""A ministry moves from its former system, and on the first day its exporters do as they did before."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from cli.accounts import Account, Authenticator, Mailbox
from cli.audit import audit
from cli.demo import ZONE
from cli.imports import Importer, registrations, users
from cli.people import Exporter, Journey, follow_invitation, until
from cli.reach import CommandFailed, Where
from cli.trail import newest
from shared.contracts.certificates import CertificateStatus
from shared.contracts.ops import MOST_KEYS, FindActs, ListKeys
from shared.contracts.registry.users import InviteOfficer
from tests.registry.former import a_former_company, a_former_person, a_former_user
from tests.stories.conftest import Nation, to

COMPANIES = 30


async def an_importer(nation: Nation, tmp_path: Path, role: str = "administrator") -> Importer:
    """An officer with a password and an authenticator in files."""
    account = Account(f"{uuid4().hex[:8]}@ministry.example", f"{uuid4()}", Authenticator(tmp_path / f"{role}.authenticator"))
    invitation = InviteOfficer(user_id=uuid4(), name="Importer", email=account.email, roles=(role,), office="PNH")
    await nation.ministry.administrator.ask(invitation)
    await follow_invitation(nation.portal, account, Mailbox(nation.stack.mail_dir))
    password = tmp_path / f"{role}.password"
    password.write_text(account.password)
    return Importer(account.email, password, tmp_path / f"{role}.authenticator")


def former_companies(today: date) -> list[Any]:
    """Thirty companies: one suspended, one expired, one in error."""
    days = {"valid_from": f"{today - timedelta(days=900)}", "valid_until": f"{today + timedelta(days=200)}"}
    whole = a_former_person(roles=["company_administrator", "preparer", "signatory"])
    companies = [a_former_company(**days, users=[whole]), *(a_former_company(**days) for _ in range(COMPANIES - 3))]
    companies.append(a_former_company(**days, status="suspended", reason="The factory was closed."))
    companies.append(a_former_company(**days | {"valid_until": f"{today - timedelta(days=1)}"}, status="expired"))
    return [*companies, a_former_company(**days, district="9999")]


def outcomes(report: Path) -> list[str]:
    return [row["outcome"] for row in json.loads(report.read_text())]


async def test_on_the_first_day_an_exporter_of_the_former_system_submits_a_certificate(
    nation: Nation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where, by, today = Where(root=nation.stack.root), await an_importer(nation, tmp_path), datetime.now(ZONE).date()
    file, report = tmp_path / "companies.jsonl", tmp_path / "report.json"
    companies = former_companies(today)
    file.write_text("\n".join(company.model_dump_json(exclude_none=True) for company in companies))

    assert await registrations(file, by=by, where=where, dry_run=True, report=report) == 1
    assert "would be imported" in capsys.readouterr().out
    would = outcomes(report)
    assert await registrations(file, by=by, where=where, invite=True, report=report) == 1
    assert outcomes(report) == would == ["imported"] * COMPANIES + ["refused"]
    assert "district_unknown" in capsys.readouterr().out
    ids = [row["id"] for row in json.loads(report.read_text())]
    assert await registrations(file, by=by, where=where, invite=True, report=report) == 1
    assert outcomes(report) == ["unchanged"] * COMPANIES + ["refused"]

    account = Account(companies[0].users[0].email, f"{uuid4()}")
    person = await follow_invitation(nation.portal, account, Mailbox(nation.stack.mail_dir))
    journey = await Journey.begin(to("VN"), Exporter(person, UUID(ids[0])), nation.ministry, today)
    assert (await journey.submit()).status is CertificateStatus.SUBMITTED

    async def known() -> bool | None:
        facts = ("exporters", "suspended", "expired")
        asked = [nation.operator.ask(ListKeys(fact=fact, limit=MOST_KEYS), service="certificates") for fact in facts]
        exporters, suspended, expired = [set((await each).keys) for each in asked]
        return True if set(ids[:-1]) <= exporters and ids[-3] in suspended and ids[-2] in expired else None

    await until(known, "certificates to know every company")
    assert await audit(where=where) == 0
    acts = await newest(nation.operator, "registry", FindActs(), 100)
    assert len([act for act in acts if act.act == "ImportRegistrations" and act.outcome == "done"]) == 2


async def test_people_come_over_to_their_offices_and_companies(nation: Nation, tmp_path: Path) -> None:
    where, by = Where(root=nation.stack.root), await an_importer(nation, tmp_path)
    today = datetime.now(ZONE).date()
    company = former_companies(today)[0]
    (tmp_path / "companies.json").write_text(f"[{company.model_dump_json()}]")
    people = [a_former_user(), a_former_user(roles=["preparer"], company_tax_number=company.tax_number)]
    (tmp_path / "people.jsonl").write_text("\n".join(person.model_dump_json() for person in people))
    report = tmp_path / "report.json"

    assert await registrations(tmp_path / "companies.json", by=by, where=where) == 0
    assert await users(tmp_path / "people.jsonl", by=by, where=where, report=report) == 0

    assert outcomes(report) == ["imported"] * 2
    assert await users(tmp_path / "people.jsonl", by=by, where=where, report=report) == 0
    assert outcomes(report) == ["unchanged"] * 2


async def test_whoever_is_no_administrator_imports_nothing_and_the_report_says_so(nation: Nation, tmp_path: Path) -> None:
    by, report = await an_importer(nation, tmp_path, role="reviewer"), tmp_path / "report.json"
    (tmp_path / "people.jsonl").write_text(a_former_user().model_dump_json())

    with pytest.raises(CommandFailed, match="is no administrator of the ministry"):
        await users(tmp_path / "people.jsonl", by=by, where=Where(root=nation.stack.root), report=report)

    assert outcomes(report) == ["not_sent"]
