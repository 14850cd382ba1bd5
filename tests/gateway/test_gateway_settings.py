"""The settings of the gateway: partners, keys and customs."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.gateway.denials import DenialReasons
from services.gateway.kinds import DocumentKinds
from services.gateway.offices import Offices
from services.gateway.settings import GatewaySettings, tools
from services.gateway.verification import VerificationClocks
from services.gateway.wire.customs import Customs
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.signature import Signer

from .builders import a_signer, put_keys
from .test_gateway_directory import a_directory, a_row


def test_the_tools_of_the_gateway_are_built_from_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = put_keys(tmp_path, "kh", a_signer("KH"))
    for name, value in {
        "DATABASE_URL": "sqlite://",
        "NATS_SEED_FILE": key,
        "EVENT_KEYS_FILE": key,
        "PARTNERS_FILE": a_directory(tmp_path, [a_row(tmp_path)]),
        "SIGNING_CERTIFICATE_FILE": certificate,
        "SIGNING_KEY_FILE": key,
        "EXCHANGE_CA_FILE": certificate,
        "CUSTOMS_URL": "http://127.0.0.1:9500/KH/documents",
    }.items():
        monkeypatch.setenv(f"CO_{name}", str(value))
    assert [type(tool) for tool in tools(GatewaySettings())] == [
        Exchange,
        DenialReasons,
        VerificationClocks,
        DocumentKinds,
        Offices,
        Customs,
    ]


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
