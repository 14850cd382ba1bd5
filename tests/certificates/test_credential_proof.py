"""The Data Integrity proof of a credential, checked by a verifier that others wrote (npm `@digitalbazaar/vc`)."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.certificates.documents.data_integrity import multikey
from services.certificates.documents.sealing import sealed_page
from services.certificates.publishing import did_document
from services.certificates.store.sealed import PublicKey
from shared.contracts.certificates.documents import FormD
from shared.contracts.certificates.sealing import CertificateCredential, credential_with_proof
from tests.certificates.keys import a_sealing, office_keys
from tests.certificates.test_sealing import TODAY, a_full_form, a_page
from tests.support.programs import program

VERIFIER = Path(__file__).parent / "credential_check"
CERTIFICATE = UUID("6f1c8f0a-7a0b-4f55-9f3a-0f1d3d9f2a11")
AT = datetime(2026, 11, 23, 3, tzinfo=UTC)


def a_credential(proof: bool = True) -> CertificateCredential:
    """The data of a sealed certificate."""
    page, sealing = a_page(a_full_form()), a_sealing()
    order = sealing.order(CERTIFICATE, "PNH", "ABCD-EFGH-JKLM", TODAY, AT)
    made = sealed_page(page, order)
    return CertificateCredential(
        certificate_id=CERTIFICATE,
        document=page.document,
        summary=made.summary,
        credential=made.credential,
        proof=made.proof if proof else None,
        code=order.code,
        key_id=order.key_id,
        sealed_at=AT,
    )


def the_did() -> dict[str, Any]:
    """The DID document with the keys of all offices."""
    keys = office_keys().read().keys.values()
    return did_document("did:web:co.example", [PublicKey(key.key_id, key.pem, None) for key in keys])


def test_the_credential_with_its_proof_has_every_box() -> None:
    data = a_credential()
    credential = credential_with_proof(data)
    assert credential is not None
    subject = {name: value for name, value in credential["credentialSubject"].items() if name != "type"}

    assert FormD.model_validate(subject) == FormD.model_validate_json(data.document)
    assert credential["proof"]["cryptosuite"] == "ecdsa-jcs-2019"
    assert credential["proof"]["created"] == "2026-11-23T03:00:00Z"
    assert credential["proof"]["verificationMethod"] in the_did()["assertionMethod"]


def test_a_certificate_of_a_former_release_has_no_proof() -> None:
    assert credential_with_proof(a_credential(proof=False)) is None


def test_a_multikey_begins_as_the_standard_says() -> None:
    key = next(iter(office_keys().read().keys.values()))
    assert multikey(key.pem).startswith("zDn")  # W3C Controlled Identifiers, table of Multikey prefixes


def test_a_withdrawn_key_certifies_nothing() -> None:
    key = next(iter(office_keys().read().keys.values()))
    did = did_document("did:web:co.example", [PublicKey(key.key_id, key.pem, AT)])
    assert (len(did["verificationMethod"]), did["assertionMethod"]) == (2, [])


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the verifier, with its packages from npm as its lock file names them."""
    folder = shutil.copytree(VERIFIER, tmp_path_factory.mktemp("verifier") / "credential_check")
    subprocess.run([program("npm"), "ci", "--silent", "--ignore-scripts"], cwd=folder, check=True)
    return folder


@pytest.mark.slow
def test_a_verifier_of_others_accepts_it_and_refuses_it_after_one_changed_byte(verifier: Path) -> None:
    def accepted(credential: dict[str, Any]) -> bool:
        content = json.dumps({"credential": credential, "did": the_did()})
        command = [program("node"), "check.mjs"]
        done = subprocess.run(command, cwd=verifier, input=content, capture_output=True, text=True, check=True)
        return done.stdout.strip() == "true"

    credential = credential_with_proof(a_credential())
    assert credential is not None
    subject = credential["credentialSubject"]

    assert accepted(credential)
    assert not accepted(credential | {"credentialSubject": subject | {"reference": subject["reference"][:-1] + "9"}})
    assert not accepted(credential | {"validUntil": "2028-01-01T00:00:00Z"})
    other = next(method for method in the_did()["assertionMethod"] if "multikey" in method and "PNH" not in method)
    assert not accepted(credential | {"proof": credential["proof"] | {"verificationMethod": other}})
