"""The second factor: a person's authenticator (TOTP, RFC 6238), and recovery codes in case it is lost."""

from typing import ClassVar

from shared.contracts.messages import Answer, Command
from shared.contracts.registry.identity import Code, Proof


class SecondFactorOffer(Answer):
    """The address (`otpauth:`) that an authenticator reads from a QR code. The second factor is valid once confirmed."""

    otpauth: str


class EnrolSecondFactor(Proof, Command):
    """A person requests an authenticator with their password. `code` or `passkey`: of the present second factor, if any."""

    subject: ClassVar[str] = "cmd.second-factor.enrol.v1"
    answer: ClassVar[type[Answer]] = SecondFactorOffer
    secret: ClassVar[bool] = True
    while_enrolling: ClassVar[bool] = True


class RecoveryCodes(Answer):
    """Each recovery code opens one session in place of a code. No other answer contains them: print them."""

    recovery_codes: tuple[str, ...]


class ConfirmSecondFactor(Command):
    """A person sends the first code of the new authenticator. From now on every sign-in needs a code."""

    subject: ClassVar[str] = "cmd.second-factor.confirm.v1"
    answer: ClassVar[type[Answer]] = RecoveryCodes
    secret: ClassVar[bool] = True
    while_enrolling: ClassVar[bool] = True
    code: Code
