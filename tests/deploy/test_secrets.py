"""The secrets of an embedded run are created once and are readable by their owner only."""

import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import OKPKey

from deploy.secrets import Secrets
from services.registry.identity.signing_keys import SigningKeys

USERS = {"KH": ("registry", "operator"), "VN": ("gateway", "operator")}


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    secrets = Secrets(tmp_path / "var" / "secrets")
    secrets.make(USERS)
    return secrets


def contents(secrets: Secrets) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in secrets.folder.rglob("*") if path.is_file()}


def test_only_their_owner_may_read_secrets(secrets: Secrets) -> None:
    modes = {path.stat().st_mode & 0o777 for path in contents(secrets)}
    folders = {path.stat().st_mode & 0o777 for path in (secrets.folder, *secrets.folder.rglob("*")) if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})


def test_creating_secrets_again_changes_nothing(secrets: Secrets) -> None:
    before = contents(secrets)
    assert secrets.make(USERS) == []
    assert contents(secrets) == before


def test_only_missing_secrets_are_created(secrets: Secrets) -> None:
    before = contents(secrets)
    secrets.seed("KH", "operator").unlink()
    assert secrets.make(USERS | {"SG": ("gateway",)}) == sorted(
        [
            secrets.seed("KH", "operator"),
            secrets.seed("SG", "gateway"),
            secrets.signing_certificate("SG"),
            secrets.signing_key("SG"),
        ]
    )
    kept = set(before) - {secrets.seed("KH", "operator")}
    assert {path: before[path] for path in kept} == {path: contents(secrets)[path] for path in kept}


def test_a_certificate_is_never_without_its_key(secrets: Secrets) -> None:
    secrets.signing_certificate("VN").unlink()  # like an interruption between the two files
    secrets.make(USERS)
    certificate = x509.load_pem_x509_certificate(secrets.signing_certificate("VN").read_bytes())
    key = load_pem_private_key(secrets.signing_key("VN").read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"
    assert certificate.public_key() == key.public_key()


def test_every_user_of_the_bus_has_its_own_key(secrets: Secrets) -> None:
    keys = [secrets.public_key(country, user) for country, users in USERS.items() for user in users]
    assert len(set(keys)) == 4
    assert all(key.startswith("U") for key in keys)


def test_the_former_key_of_the_bus_is_accepted_until_it_ends(secrets: Secrets) -> None:
    old, now = secrets.public_key("KH", "registry"), datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
    until = now + timedelta(hours=1)

    new = secrets.rotate_bus_key("KH", "registry", until)

    assert new == secrets.public_key("KH", "registry") != old
    assert secrets.seed("KH", "registry").stat().st_mode & 0o777 == 0o600
    assert secrets.public_keys("KH", "registry", now) == (new, old)
    assert secrets.public_keys("KH", "registry", until) == (new,)
    assert secrets.event_keys("KH", ["registry"]) == {"registry": {new: None, old: until}}
    newest = secrets.rotate_bus_key("KH", "registry", until + timedelta(days=40))
    assert set(secrets.event_keys("KH", ["registry"])["registry"]) == {newest, new, old}


def test_a_stolen_key_of_the_bus_is_refused(secrets: Secrets) -> None:
    now = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
    new = secrets.rotate_bus_key("KH", "registry", now - timedelta(hours=5))
    assert secrets.public_keys("KH", "registry", now) == (new,)


def test_the_signing_key_of_registry_is_a_private_ed25519_jwk(secrets: Secrets) -> None:
    key = OKPKey.import_key(json.loads(secrets.registry_signing_key.read_text()))
    assert key.is_private
    assert key.curve_name == "Ed25519"


def test_a_strict_client_accepts_the_certificate_of_this_machine(secrets: Secrets) -> None:
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=secrets.ca_certificate)
    server.load_cert_chain(secrets.tls_certificate("localhost"), secrets.tls_key("localhost"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                pass
    assert x509.load_pem_x509_certificate(secrets.tls_certificate("localhost").read_bytes()).issuer.rfc4514_string() == (
        "CN=CO authority"
    )


def test_the_next_token_key_signs_a_day_later_and_the_former_ends_an_hour_after_that(secrets: Secrets) -> None:
    old = SigningKeys.read(secrets.registry_signing_key).keys[0].key.thumbprint()
    now = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    tomorrow = now + timedelta(days=1)

    new = secrets.rotate_token_key(now, tomorrow)

    keys = SigningKeys.read(secrets.registry_signing_key)
    assert secrets.registry_signing_key.stat().st_mode & 0o777 == 0o600
    assert keys.at(now).thumbprint() == keys.at(tomorrow - timedelta(seconds=1)).thumbprint() == old
    assert keys.at(tomorrow).thumbprint() == new
    assert keys.keys[0].valid_until == tomorrow + timedelta(hours=1)

    newest = secrets.rotate_token_key(now + timedelta(days=100), now + timedelta(days=101))
    after = SigningKeys.read(secrets.registry_signing_key)
    assert [each.key.thumbprint() for each in after.keys] == [new, newest]
