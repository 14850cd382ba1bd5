"""The partner directory: a wrong row is refused with the reason, and the others are used."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from deploy.pki import document_signer
from services.gateway.members import load_document_kinds, load_members
from services.gateway.wire.partners import PartnerNotConfigured, Partners, SpokenVersion
from shared.xml.document_types import DOCUMENT_TYPES

from .builders import a_partner, a_signer, put_keys

TODAY = date(2026, 11, 27)


def a_row(folder: Path, country: str = "VN", **changes: Any) -> dict[str, Any]:
    """A row, and the files of its certificates."""
    name = country.lower()
    put_keys(folder, name, a_signer(country))
    return {
        "country": country,
        "address": f"https://asw.{name}.example/asw/messages",
        "signing_certificates": [f"{name}.crt"],
        "tls_certificates": [f"{name}.crt"],
        "trust_trace": True,
    } | changes


def a_directory(folder: Path, rows: list[Any]) -> Path:
    file = folder / "partners.json"
    file.write_text(json.dumps({"partners": rows}))
    return file


def read(folder: Path, rows: list[Any], **options: Any) -> Partners:
    return Partners.read(a_directory(folder, rows), "KH", datetime.now(UTC), **options)


def test_a_row_names_the_address_and_the_pinned_certificates(tmp_path: Path) -> None:
    row = a_row(tmp_path, contact={"name": "ASW desk", "telephone": "+84 24 0000 0000"})
    partner = read(tmp_path, [row]).by_country("VN", TODAY)
    assert (partner.country, partner.address, partner.trust_trace) == ("VN", "https://asw.vn.example/asw/messages", True)
    assert "Gateway of VN" in partner.signing_certificates[0].subject.rfc4514_string()
    assert partner.contact
    assert partner.contact.name == "ASW desk"


def expired(folder: Path) -> dict[str, Any]:
    put_keys(folder, "old", a_signer("VN", lasts=timedelta(days=10)))
    return {"signing_certificates": ["old.crt"]}


def on_another_curve(folder: Path) -> dict[str, Any]:
    key, name, start = rsa.generate_private_key(65537, 2048), x509.Name([]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=1))
    (folder / "rsa.crt").write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return {"signing_certificates": ["rsa.crt"]}


WRONG: dict[str, tuple[Any, str]] = {
    "expired": (expired, r"the certificate old.crt expired on \d{4}-\d\d-\d\d"),
    "another curve": (on_another_curve, "the key of the certificate rsa.crt is not on the curve P-256"),
    "no file": ({"tls_certificates": ["none.crt"]}, "the certificate none.crt cannot be read"),
    "no certificate": ({"tls_certificates": ["partners.json"]}, "the certificate partners.json cannot be read"),
    "four certificates": ({"tls_certificates": ["vn.crt"] * 4}, "tls_certificates: .*at most 3"),
    "none": ({"signing_certificates": []}, "signing_certificates: .*at least 1"),
    "http": ({"address": "http://asw.vn.example/"}, "must begin with https://"),
    "credentials": ({"address": "https://me:secret@asw.vn.example/"}, "must have no user, query or fragment"),
    "loopback": ({"address": "https://127.0.0.1/asw"}, "the address 127.0.0.1 is private"),
    "private": ({"address": "https://10.1.2.3/asw"}, "the address 10.1.2.3 is private"),
    "link-local": ({"address": "https://[fe80::1]/asw"}, "the address fe80::1 is private"),
    "a name of this network": ({"address": "https://gateway/asw"}, "the address gateway is private"),
    "unknown version": ({"versions": [{"version": 7}]}, "nobody speaks version 7; this gateway speaks 1, 2"),
    "unknown kind of document": ({"documents": [{"code": "e_phyto"}]}, "there is no kind of document e_phyto"),
    "no member": ({"country": "FR"}, "this country is not a member"),
    "itself": ({"country": "KH"}, "this is the country of this gateway"),
    "no country": ({"country": "Viet Nam"}, "country: "),
    "malformed": ({"trust_trace": "perhaps"}, "trust_trace: "),
    "unknown field": ({"color": "red"}, "color: "),
}


def test_a_row_says_which_documents_are_exchanged_besides_the_certificate(tmp_path: Path) -> None:
    row = a_row(tmp_path) | {"documents": [{"code": "acdd", "from": "2026-06-01", "until": "2026-12-31"}]}
    partner = read(tmp_path, [row]).rows["VN"]
    days = (date(2026, 5, 31), date(2026, 6, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [partner.takes("acdd", day) for day in days] == [False, True, True, False]
    assert all(partner.takes("e_form_d", day) for day in days)
    assert not read(tmp_path, [a_row(tmp_path)]).rows["VN"].takes("acdd", date(2026, 6, 1))


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_row_is_refused_with_its_reason_and_the_others_are_used(tmp_path: Path, what: str) -> None:
    changes, reason = WRONG[what]
    row = a_row(tmp_path) | (changes(tmp_path) if callable(changes) else changes)

    partners = read(tmp_path, [row, a_row(tmp_path, "TH")])

    (refused,) = partners.refused
    assert re.search(reason, refused.reason), refused.reason
    assert list(partners.rows) == ["TH"]


def test_two_rows_for_one_country_are_both_refused(tmp_path: Path) -> None:
    partners = read(tmp_path, [a_row(tmp_path), a_row(tmp_path, "TH"), a_row(tmp_path)])
    assert [each.reason for each in partners.refused] == ["there are 2 rows for this country"] * 2
    with pytest.raises(PartnerNotConfigured, match=r"the row of Viet Nam \(VN\) is refused: there are 2 rows"):
        partners.by_country("VN", TODAY)


@pytest.mark.parametrize("content", ["[]", "{}", '{"VN": {}}', '{"partners": {}}'])
def test_a_file_that_is_no_directory_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "partners.json"
    file.write_text(content)
    with pytest.raises(ValueError, match="a partner directory is"):
        Partners.read(file, "KH", datetime.now(UTC))


def test_private_addresses_are_accepted_where_the_setting_permits_them(tmp_path: Path) -> None:
    assert read(tmp_path, [a_row(tmp_path, address="https://127.0.0.1:9443/")], private_addresses=True).refused == ()


def test_an_expired_certificate_beside_a_valid_one_is_not_used(tmp_path: Path) -> None:
    row = a_row(tmp_path) | {"signing_certificates": [*expired(tmp_path)["signing_certificates"], "vn.crt"]}
    assert len(read(tmp_path, [row]).by_country("VN", TODAY).signing_certificates) == 1


def test_a_document_for_a_member_without_a_row_waits(tmp_path: Path) -> None:
    with pytest.raises(PartnerNotConfigured, match=r"no partner gateway is configured for Thailand \(TH\)"):
        read(tmp_path, [a_row(tmp_path)]).by_country("TH", TODAY)


def test_a_partner_opens_on_its_date(tmp_path: Path) -> None:
    partners = read(tmp_path, [a_row(tmp_path, opens_on="2026-12-01")])
    with pytest.raises(PartnerNotConfigured, match=r"the exchange with Viet Nam \(VN\) opens on 2026-12-01"):
        partners.by_country("VN", TODAY)
    assert partners.by_country("VN", date(2026, 12, 1))


def test_a_member_without_a_date_opens_when_its_row_says_so(tmp_path: Path) -> None:
    with pytest.raises(PartnerNotConfigured, match=r"the exchange with Timor-Leste \(TL\) opens later"):
        read(tmp_path, [a_row(tmp_path, "TL")]).by_country("TL", TODAY)
    assert read(tmp_path, [a_row(tmp_path, "TL", opens_on="2026-11-01")]).by_country("TL", TODAY)


def test_the_newest_version_of_the_day_is_spoken() -> None:
    rows = [{"version": 1, "until": "2026-12-31"}, {"version": 2, "from": "2026-12-15"}]
    versions = tuple(SpokenVersion.model_validate(each) for each in rows)
    switching, stays = (a_partner("VN", a_signer("VN"), versions=each) for each in (versions, versions[:1]))
    days = [date(2026, 12, 14), date(2026, 12, 15), date(2027, 1, 1)]
    assert [switching.version_on(day) for day in days] == [1, 2, 2]
    assert [stays.version_on(day) for day in days] == [1, 1, None]


def test_ten_members_exchange_and_one_is_joining() -> None:
    members = load_members()
    assert len(members) == 11
    assert [code for code, member in members.items() if not member.exchanges_on(TODAY)] == ["TL"]
    assert all(member.names["en"] and member.names["km"] for member in members.values())


def test_every_kind_of_document_has_a_row_and_a_model() -> None:
    assert load_document_kinds().keys() == DOCUMENT_TYPES.keys()


def test_the_certificate_of_a_new_signer_can_be_pinned(tmp_path: Path) -> None:
    (tmp_path / "my.crt").write_bytes(document_signer("MY").certificate)
    assert read(tmp_path, [a_row(tmp_path, "MY") | {"signing_certificates": ["my.crt"]}]).refused == ()
