"""The relying party of WebAuthn: it makes the options for the browser, and verifies what the browser answers."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.registry.identity.domain.passkey import CHALLENGE_LASTS, Challenged, Passkey, expiry_of, new_challenge
from services.registry.identity.domain.user import User

MAX_CREDENTIAL_ID = 1023
"""Maximum bytes of a credential's id (WebAuthn, 4)."""
TIMEOUT = int(CHALLENGE_LASTS.total_seconds() * 1000)
ATTESTATIONS = (AttestationFormat.NONE, AttestationFormat.PACKED)
"""What a browser may answer when no attestation is wanted: none, or that of the key itself (WebAuthn, 5.4.7)."""


@dataclass(frozen=True, kw_only=True)
class NewCredential:
    """The credential of a new passkey."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: list[str]


class Response:
    """A browser's response. Nothing in it is verified yet."""

    def __init__(self, credential: AuthenticationCredential | RegistrationCredential) -> None:
        self.credential = credential
        self.credential_id: bytes = credential.raw_id
        self.challenge: bytes = parse_client_data_json(credential.response.client_data_json).challenge


class RelyingParty:
    """This instance for authenticators: `rp_id` is the domain that passkeys belong to, `origins` are the portal's."""

    def __init__(self, *, rp_id: str, name: str, origins: Sequence[str], key: bytes) -> None:
        self._rp_id = rp_id
        self._name = name
        self._origins = list(origins)
        self._key = hmac.digest(key, b"passkey challenges", "sha256")

    def creation_options(self, stated: Challenged, user: User, known: Sequence[Passkey], now: datetime) -> str:
        """The options by which the browser creates a passkey. `known`: the passkeys that the person has already."""
        options = generate_registration_options(
            rp_id=self._rp_id,
            rp_name=self._name,
            user_id=user.user_id.bytes,
            user_name=user.email,
            user_display_name=user.name,
            challenge=new_challenge(self._key, stated, now),
            timeout=TIMEOUT,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,  # so that a sign-in needs no list of the person's passkeys
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_descriptors(known),
        )
        return options_to_json(options)

    def request_options(self, stated: Challenged, known: Sequence[Passkey], now: datetime) -> str:
        """The options by which the browser asks for a passkey: for one of `known`, or for any of this relying party."""
        options = generate_authentication_options(
            rp_id=self._rp_id,
            challenge=new_challenge(self._key, stated, now),
            timeout=TIMEOUT,
            allow_credentials=_descriptors(known),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def expiry_of(self, response: Response, stated: Challenged, now: datetime) -> datetime | None:
        """The end of the challenge that is answered; None if it does not state this."""
        return expiry_of(self._key, response.challenge, stated, now)

    def new_credential(self, response: Response) -> NewCredential | None:
        """The credential of a new passkey; None if the response is not genuine."""
        try:
            credential = response.credential
            if not isinstance(credential, RegistrationCredential):
                return None
            if parse_attestation_object(credential.response.attestation_object).fmt not in ATTESTATIONS:
                return None
            verified = verify_registration_response(
                credential=credential,
                expected_challenge=response.challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origins,
                require_user_verification=True,
            )
        except Exception:  # the library raises many kinds for what a stranger can send
            return None
        if len(verified.credential_id) > MAX_CREDENTIAL_ID:
            return None
        return NewCredential(
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            transports=sorted({transport.value for transport in credential.response.transports or ()}),
        )

    def sign_count_of(self, response: Response, passkey: Passkey) -> int | None:
        """The counter of a response that this passkey has signed; None if it is not genuine."""
        try:
            if not isinstance(response.credential, AuthenticationCredential):
                return None
            verified = verify_authentication_response(
                credential=response.credential,
                expected_challenge=response.challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origins,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=0,  # `Passkey.used` compares, so that a copy gets a refusal of its own
                require_user_verification=True,
            )
        except Exception:  # as above
            return None
        return verified.new_sign_count


def read_assertion(response: str) -> Response | None:
    """The response of a passkey that was asked for; None if it is malformed."""
    try:
        return Response(parse_authentication_credential_json(response))
    except Exception:  # as above
        return None


def read_attestation(response: str) -> Response | None:
    """The response of a new passkey; None if it is malformed."""
    try:
        return Response(parse_registration_credential_json(response))
    except Exception:  # as above
        return None


def default_origin(portal_address: str) -> str:
    """The origin of the portal. A browser knows this machine's passkeys by its name, not by its address (WebAuthn, 5.1.2)."""
    parts = urlsplit(portal_address)
    port = f":{parts.port}" if parts.port else ""
    host = "localhost" if parts.hostname in ("127.0.0.1", "::1") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def must_be_usable(rp_id: str, origins: Sequence[str]) -> None:
    """Raises ValueError unless a browser accepts passkeys of this relying party on all origins."""
    for origin in origins:
        parts = urlsplit(origin)
        host = parts.hostname or ""
        secure = parts.scheme == "https" or (parts.scheme, host) == ("http", "localhost")
        named = not host.rpartition(".")[2].isdigit() and (host == rp_id or host.endswith(f".{rp_id}"))
        if not (secure and named and origin == default_origin(origin)):
            raise ValueError(f"passkeys of {rp_id} do not work on {origin}: it needs https and a host in that domain")


def _descriptors(known: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id, transports=[AuthenticatorTransport(each) for each in passkey.transports]
        )
        for passkey in known
    ]
