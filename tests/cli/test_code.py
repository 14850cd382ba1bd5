"""The sign-ins of the demo: made once for each root, readable by their owner only, with codes for officers."""

from pathlib import Path

import pyotp
import pytest

from cli.commands.code import MIN_SECONDS, code, present_code
from cli.demo.contents import APPROVED, DATA
from cli.demo.sign_ins import COMPANY_PEOPLE, OFFICERS, SignIns
from cli.target import CommandFailed
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.roles import Role

SECRET = pyotp.random_base32()


@pytest.fixture
def sign_ins(tmp_path: Path) -> SignIns:
    sign_ins = SignIns.under(tmp_path)
    sign_ins.make()
    return sign_ins


def test_a_code_is_the_present_one_and_valid_for_a_moment(tmp_path: Path, sign_ins: SignIns) -> None:
    sign_ins.authenticator_file("approver").write_text(SECRET)
    totp = pyotp.TOTP(SECRET)

    assert present_code("approver", tmp_path, 60.0) == totp.at(60)
    assert present_code("approver", tmp_path, 90.0 - MIN_SECONDS) == totp.at(90)


def test_a_name_may_be_the_whole_address(tmp_path: Path, sign_ins: SignIns, capsys: pytest.CaptureFixture[str]) -> None:
    sign_ins.authenticator_file("approver").write_text(SECRET)

    code("approver@demo.example", root=tmp_path)

    assert len(capsys.readouterr().out.strip()) == 6


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("exporter", "exporter needs no code: the password is enough."),
        ("minister", "The demo has no officer minister; it has registration, .*"),
        ("../people/administrator", "The demo has no officer .*"),
        ("cashier", "cashier has no authenticator yet: let `co demo` end first."),
    ],
)
def test_without_a_code_the_reason_is_given(tmp_path: Path, sign_ins: SignIns, name: str, sentence: str) -> None:
    with pytest.raises(CommandFailed, match=sentence):
        present_code(name, tmp_path, 0.0)


def test_no_code_is_given_outside_a_demo(tmp_path: Path) -> None:
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "administrator-authenticator").write_text(SECRET)

    with pytest.raises(CommandFailed, match=r"There is no demo under .*: only the officers that `co demo` has made"):
        present_code("administrator", tmp_path, 0.0)


def test_sign_ins_stay_the_same_and_only_their_owner_reads_them(tmp_path: Path, sign_ins: SignIns) -> None:
    password = sign_ins.password("exporter")
    again = SignIns.under(tmp_path)
    again.make()

    assert (again.password("exporter"), again.id_of("mandate")) == (password, sign_ins.id_of("mandate"))
    assert again.account("exporter").email == "exporter@demo.example"
    assert len({sign_ins.password(person.name) for person in (*COMPANY_PEOPLE, *OFFICERS)}) == 10
    assert {path.stat().st_mode & 0o077 for path in [tmp_path / "demo", *(tmp_path / "demo").iterdir()]} == {0}
    assert not again.complete
    again.finish()
    assert SignIns.under(tmp_path).complete


def test_two_demos_have_different_passwords_and_ids(tmp_path: Path) -> None:
    one, other = SignIns.under(tmp_path / "one"), SignIns.under(tmp_path / "other")
    one.make()
    other.make()

    assert one.password("exporter") != other.password("exporter")
    assert one.id_of("mandate") != other.id_of("mandate")


def test_every_kind_of_officer_can_sign_in() -> None:
    of_companies = {Role.COMPANY_ADMINISTRATOR, Role.PREPARER, Role.SIGNATORY}
    assert {role for officer in OFFICERS for role in officer.roles} == set(Role) - of_companies


def test_the_demo_leaves_a_certificate_of_each_status_and_names_only_known_products_and_countries() -> None:
    rows = DATA["certificates"]
    assert len(rows) >= 40
    assert {row["ends"] for row in rows} == {status.value for status in CertificateStatus} | {"held"}
    assert {row["product"] for row in rows} <= {key for key, product in DATA["products"].items() if "item" in product}
    assert {row["to"] for row in rows} <= set(DATA["consignees"])
    assert {row.get("by", "exporter") for row in rows} <= {*(row["key"] for row in DATA["companies"]), "preparer", "freight"}
    assert any(row["ends"] in APPROVED and not row.get("paid") for row in rows)
