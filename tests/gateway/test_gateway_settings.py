"""The settings of the gateway: partners, keys and customs."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.gateway.settings import GatewaySettings, tools
from services.gateway.wire.customs import Customs
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.partners import Partners
from services.gateway.wire.signature import Signer
from shared.refusals import Unavailable

from .builders import a_signer


def put_keys(folder: Path, name: str, signer: Signer) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    key.write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key


def a_directory(folder: Path, **changes: object) -> Path:
    put_keys(folder, "vn", a_signer("VN"))
    row = {"address": "https://127.0.0.1:9443/asw/messages", "certificate_file": "vn.crt", "trust_trace": True} | changes
    file = folder / "partners.json"
    file.write_text(json.dumps({"VN": row}))
    return file


def test_the_tools_of_the_gateway_are_built_from_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = put_keys(tmp_path, "kh", a_signer("KH"))
    for name, value in {
        "DATABASE_URL": "sqlite://",
        "NATS_SEED_FILE": key,
        "EVENT_KEYS_FILE": key,
        "PARTNERS_FILE": a_directory(tmp_path),
        "SIGNING_CERTIFICATE_FILE": certificate,
        "SIGNING_KEY_FILE": key,
        "EXCHANGE_CA_FILE": certificate,
        "CUSTOMS_URL": "http://127.0.0.1:9500/KH/documents",
    }.items():
        monkeypatch.setenv(f"CO_{name}", str(value))
    assert [type(tool) for tool in tools(GatewaySettings())] == [Exchange, Customs]


def test_the_directory_names_addresses_and_pinned_certificates(tmp_path: Path) -> None:
    partner = Partners.read(a_directory(tmp_path)).by_country("VN")
    assert (partner.country, partner.address, partner.trust_trace) == ("VN", "https://127.0.0.1:9443/asw/messages", True)
    assert "Gateway of VN" in partner.certificate.subject.rfc4514_string()


@pytest.mark.parametrize("changes", [{"address": "http://127.0.0.1/"}, {"trust_trace": "perhaps"}, {"color": "red"}])
def test_a_malformed_directory_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="VN"):
        Partners.read(a_directory(tmp_path, **changes))


def test_a_document_for_a_member_without_a_row_waits(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no partner gateway is configured for Thailand \(TH\)"):
        Partners.read(a_directory(tmp_path)).by_country("TH")


def test_a_key_must_be_on_p256_and_belong_to_its_certificate(tmp_path: Path) -> None:
    certificate, key = put_keys(tmp_path, "kh", a_signer("KH"))
    assert Signer.read(certificate, key)
    _, other = put_keys(tmp_path, "other", a_signer("KH"))
    with pytest.raises(ValueError, match="is not the key of"):
        Signer.read(certificate, other)
    for wrong in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        other.write_bytes(wrong.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with pytest.raises(ValueError, match="P-256"):
            Signer.read(certificate, other)


def test_ten_members_exchange_and_one_is_joining() -> None:
    members = json.loads((Path(__file__).parents[2] / "services/gateway/data/members.json").read_text())["members"]
    assert len(members) == 11
    assert [member["code"] for member in members if member["exchanging_since"] is None] == ["TL"]
    assert all(member["name"]["en"] and member["name"]["km"] for member in members)
