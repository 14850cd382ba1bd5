"""Challenges, the counters of passkeys, and where passkeys work: rules without a database."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.registry.identity.domain.passkey import (
    CHALLENGE_LASTS,
    Challenged,
    Passkey,
    Purpose,
    Shown,
    expiry_of,
    new_challenge,
)
from services.registry.identity.domain.user import User
from services.registry.identity.relying_party import (
    RelyingParty,
    default_origin,
    must_be_usable,
    read_assertion,
    read_attestation,
)
from services.registry.identity.second_factor_rules import SecondFactorRules
from services.registry.settings import RegistrySettings
from tests.support.fuzzing import examples
from tests.support.software_passkey import ORIGIN, SoftwarePasskey, encoded

KEY, NOW = bytes(32), datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
SOK, DARA = UUID(int=1), UUID(int=2)
ACTS = [("cmd.certificate.approve.v1", "a" * 64), ("cmd.certificate.reject.v1", "b" * 64)]
STATED = Challenged.step_up(SOK, ACTS)
PARTY = RelyingParty(rp_id="localhost", name="CO", origins=[ORIGIN], key=KEY)


def a_passkey(sign_count: int = 0) -> Passkey:
    return Passkey(
        passkey_id=uuid4(),
        user_id=SOK,
        credential_id=b"1",
        public_key=b"",
        sign_count=sign_count,
        name="ទូរសព្ទ",
        created_at=NOW,
    )


def a_user(*roles: str) -> User:
    return User(user_id=SOK, name="សុខ", email="sok@company.example", password_hash=None, organisation="1", roles=list(roles))


def test_a_challenge_is_random_and_ends_after_five_minutes() -> None:
    challenge = new_challenge(KEY, STATED, NOW)
    assert challenge != new_challenge(KEY, STATED, NOW)
    assert expiry_of(KEY, challenge, STATED, NOW) == NOW + CHALLENGE_LASTS == NOW + timedelta(minutes=5)
    assert expiry_of(KEY, challenge, STATED, NOW + CHALLENGE_LASTS - timedelta(seconds=1))
    assert expiry_of(KEY, challenge, STATED, NOW + CHALLENGE_LASTS) is None


def test_decisions_have_no_order_and_a_repetition_adds_nothing() -> None:
    assert Challenged.step_up(SOK, [*reversed(ACTS), ACTS[0]]) == STATED


@pytest.mark.parametrize(
    "other",
    [
        Challenged.step_up(DARA, ACTS),
        Challenged.step_up(SOK, ACTS[:1]),
        Challenged.step_up(SOK, [(ACTS[0][0], ACTS[1][1]), (ACTS[1][0], ACTS[0][1])]),
        Challenged.enrolment(SOK),
        Challenged.change(SOK, STATED.confirms),
        Challenged.sign_in(str(SOK)),
        Challenged(Purpose.STEP_UP, f"{SOK}\n{STATED.confirms}"),
    ],
)
def test_a_challenge_serves_no_other_person_purpose_or_content(other: Challenged) -> None:
    assert expiry_of(KEY, new_challenge(KEY, STATED, NOW), other, NOW) is None


def test_a_challenge_of_another_key_or_with_a_later_end_is_not_ours() -> None:
    challenge = new_challenge(KEY, STATED, NOW)
    later = challenge[:16] + (2**40).to_bytes(8, "big") + challenge[24:]
    for forged in (new_challenge(b"another" * 5, STATED, NOW), later, challenge[:-1], challenge + b"0", b"", b"0" * 32):
        assert expiry_of(KEY, forged, STATED, NOW) is None


@pytest.mark.parametrize(
    ("stored", "shown", "outcome"),
    [
        (0, 0, Shown.GOOD),
        (0, 1, Shown.GOOD),
        (7, 8, Shown.GOOD),
        (7, 7, Shown.COPIED),
        (7, 6, Shown.COPIED),
        (7, 0, Shown.COPIED),
        (2**32 - 2, 2**32 - 1, Shown.GOOD),
    ],
)
def test_a_counter_must_advance_unless_the_device_does_not_count(stored: int, shown: int, outcome: Shown) -> None:
    passkey = a_passkey(stored)
    assert passkey.used(shown, NOW) is outcome
    assert (passkey.sign_count, passkey.last_used_at) == ((shown, NOW) if outcome is Shown.GOOD else (stored, None))


def test_the_options_demand_user_verification_and_a_key_that_needs_no_list() -> None:
    created = json.loads(PARTY.creation_options(Challenged.enrolment(SOK), a_user("preparer"), [a_passkey()], NOW))
    assert created["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert (created["attestation"], created["rp"]) == ("none", {"name": "CO", "id": "localhost"})
    assert created["user"]["displayName"] == "សុខ"
    assert [each["id"] for each in created["excludeCredentials"]] == ["MQ"]
    asked = json.loads(PARTY.request_options(STATED, [a_passkey()], NOW))
    assert (asked["userVerification"], asked["rpId"], asked["timeout"]) == ("required", "localhost", 300_000)
    assert len(asked["allowCredentials"]) == 1


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("http://127.0.0.1:8080", "http://localhost:8080"),
        ("https://localhost:8443/", "https://localhost:8443"),
        ("https://co.example/portal", "https://co.example"),
    ],
)
def test_the_origin_of_the_portal_follows_from_its_address(address: str, origin: str) -> None:
    assert default_origin(address) == origin


def test_passkeys_of_a_domain_work_on_it_and_below_it() -> None:
    must_be_usable("co.example", ["https://co.example", "https://portal.co.example:8443"])
    must_be_usable("localhost", ["http://localhost:8080", "https://localhost:8443"])


@pytest.mark.parametrize(
    ("rp_id", "origin"),
    [
        ("co.example", "http://co.example"),
        ("co.example", "https://other.example"),
        ("co.example", "https://evilco.example"),
        ("co.example", "https://co.example/portal"),
        ("co.example", "co.example"),
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("203.0.113.7", "https://203.0.113.7"),
    ],
)
def test_an_origin_on_which_no_browser_uses_the_passkeys_is_refused(rp_id: str, origin: str) -> None:
    with pytest.raises(ValueError, match="do not work"):
        must_be_usable(rp_id, [origin])


@pytest.mark.parametrize(
    ("changes", "origins", "domain"),
    [
        ({}, ["http://localhost:8080"], "localhost"),
        ({"portal_address": "https://co.example"}, ["https://co.example"], "co.example"),
        ({"portal_address": "http://intranet:80"}, ["http://intranet:80"], "intranet"),
        ({"web_origins": "https://a.co.example, https://b.co.example", "passkey_domain": "co.example"}, None, "co.example"),
    ],
)
def test_registry_knows_its_origins_from_its_settings(
    tmp_path: Path, changes: dict[str, str], origins: list[str] | None, domain: str
) -> None:
    settings = some_settings(tmp_path, **changes)
    assert settings.origins == (origins or ["https://a.co.example", "https://b.co.example"])
    assert settings.rp_id == domain


def test_registry_does_not_start_with_origins_that_cannot_work(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="do not work on http://127"):
        some_settings(tmp_path, web_origins="http://127.0.0.1:8080")


def some_settings(root: Path, **changes: str) -> RegistrySettings:
    """Settings with empty files of secrets."""
    secret = root / "secret"
    secret.touch()
    files = ("token_key_file", "second_factor_key_file", "administrator_password_file", "nats_seed_file", "event_keys_file")
    named = {"database_url": "sqlite://", "mail_dir": str(root)} | dict.fromkeys(files, str(secret))
    return RegistrySettings.model_validate(named | changes)


@pytest.mark.parametrize(
    ("roles", "signatories", "must"),
    [
        (("signatory",), False, False),
        (("signatory",), True, True),
        (("company_administrator", "preparer"), True, False),
        (("approver",), False, True),
        (("customs_viewer",), False, True),
    ],
)
def test_officers_must_have_a_second_factor_and_signatories_from_a_date(
    roles: tuple[str, ...], signatories: bool, must: bool
) -> None:
    rules = SecondFactorRules(
        [
            {"effective_from": "2020-01-01", "signatories": False},
            {"effective_from": "2027-01-01", "signatories": signatories},
        ]
    )
    user = a_user(*roles)
    assert rules.demand_of(user, datetime(2027, 1, 1, tzinfo=UTC).date()) is must
    assert rules.demand_of(user, datetime(2026, 12, 31, tzinfo=UTC).date()) is ("signatory" not in roles and must)


def test_the_rules_of_this_release_demand_nothing_of_signatories() -> None:
    assert not SecondFactorRules.load().demand_of(a_user("signatory"), NOW.date())


HOSTILE = ["", "{}", "[]", "null", "1e999", "[" * 16_000, '{"id":1}', "\x00", "ថ្មី", '{"response":{"clientDataJSON":"Ww"}}']


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_response_is_read_as_none(text: str) -> None:
    assert read_assertion(text) is None
    assert read_attestation(text) is None


CREATED = SoftwarePasskey().created(PARTY.creation_options(Challenged.enrolment(SOK), a_user("preparer"), [], NOW))


@pytest.mark.fuzz
@settings(max_examples=examples(25, 5_000))
@given(at=st.integers(0, len(CREATED) - 1), new=st.characters(codec="utf-8"))
def test_a_response_with_one_character_changed_is_read_or_refused(at: int, new: str) -> None:
    read = read_attestation(CREATED[:at] + new + CREATED[at + 1 :])
    if read and PARTY.expiry_of(read, Challenged.enrolment(SOK), NOW):
        PARTY.new_credential(read)  # raises nothing


@pytest.mark.fuzz
@settings(max_examples=examples(25, 5_000))
@given(content=st.binary(max_size=300))
def test_any_attestation_object_is_read_or_refused(content: bytes) -> None:
    response = json.loads(CREATED)
    response["response"]["attestationObject"] = encoded(content)
    read = read_attestation(json.dumps(response))
    assert read
    assert PARTY.new_credential(read) is None
