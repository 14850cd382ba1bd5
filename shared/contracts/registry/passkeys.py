"""Passkeys (WebAuthn): a second factor that a person's device or security key holds, next to codes of an authenticator.

A challenge is answered by the browser with `navigator.credentials`. Options and responses are the JSON of WebAuthn Level 3
(`PublicKeyCredential.parseRequestOptionsFromJSON`, `toJSON`). A challenge is valid for five minutes, and once.
"""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Email, Instant, Line
from shared.contracts.messages import Answer, Command, Question
from shared.contracts.registry.identity import CommandSubject, Decision, PasskeyResponse, Proof
from shared.contracts.registry.second_factor import RecoveryCodes


class PasskeyOptions(Answer):
    """The options for the browser, as JSON: of `navigator.credentials.create` for a new passkey, otherwise of `get`."""

    options: str


class ChallengeSignIn(Question):
    """Which challenge must a passkey answer to sign in? The answer has the same form for every address, known or not."""

    subject: ClassVar[str] = "qry.sign-in.challenge.v1"
    answer: ClassVar[type[Answer]] = PasskeyOptions
    anonymous: ClassVar[bool] = True
    email: Email


class ChallengeStepUp(Question):
    """Which challenge must a passkey answer to confirm these decisions? The response confirms no others."""

    subject: ClassVar[str] = "qry.step-up.challenge.v1"
    answer: ClassVar[type[Answer]] = PasskeyOptions
    decisions: Annotated[tuple[Decision, ...], Field(min_length=1, max_length=50)]


class ChallengeSecondFactor(Question):
    """Which challenge must a passkey answer in place of a code? `act`: the subject of the command that has the response."""

    subject: ClassVar[str] = "qry.second-factor.challenge.v1"
    answer: ClassVar[type[Answer]] = PasskeyOptions
    act: CommandSubject


class BeginPasskey(Proof, Command):
    """A person requests a passkey with their password. `code` or `passkey`: of the present second factor, if they have one."""

    subject: ClassVar[str] = "cmd.passkey.begin.v1"
    answer: ClassVar[type[Answer]] = PasskeyOptions
    secret: ClassVar[bool] = True
    while_enrolling: ClassVar[bool] = True


class PasskeyState(Answer):
    """A passkey of a person. `transports`: how the browser reaches it, such as `internal`, `usb` or `hybrid`."""

    about: ClassVar[str] = "passkey_id"
    passkey_id: UUID
    name: str
    created_at: Instant
    last_used_at: Instant | None = None
    transports: tuple[str, ...] = ()


class AddPasskey(Command):
    """A person sends the browser's response to `BeginPasskey`. From now on every sign-in needs a second factor."""

    subject: ClassVar[str] = "cmd.passkey.add.v1"
    answer: ClassVar[type[Answer]] = PasskeyState
    while_enrolling: ClassVar[bool] = True
    name: Line
    response: PasskeyResponse


class Passkeys(Answer):
    """A person's passkeys, at most ten, oldest first."""

    passkeys: tuple[PasskeyState, ...]


class ListPasskeys(Question):
    """Which passkeys does this person have?"""

    subject: ClassVar[str] = "qry.passkeys.list.v1"
    answer: ClassVar[type[Answer]] = Passkeys


class PasskeyRemoved(Answer):
    """The passkey that was removed."""

    passkey_id: UUID


class RemovePasskey(Proof, Command):
    """A person removes one of their passkeys, with their password and a second factor."""

    subject: ClassVar[str] = "cmd.passkey.remove.v1"
    answer: ClassVar[type[Answer]] = PasskeyRemoved
    about: ClassVar[str] = "passkey_id"
    secret: ClassVar[bool] = True
    passkey_id: UUID


class RenewRecoveryCodes(Proof, Command):
    """A person with a second factor requests new recovery codes. The former ones are void."""

    subject: ClassVar[str] = "cmd.recovery-codes.renew.v1"
    answer: ClassVar[type[Answer]] = RecoveryCodes
    secret: ClassVar[bool] = True
