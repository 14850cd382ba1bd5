"""The second factor: a person's authenticator (TOTP, RFC 6238), and recovery codes in case it is lost."""

from typing import Annotated, ClassVar

from pydantic import StringConstraints

from shared.contracts.messages import Answer, Command
from shared.contracts.registry.identity import Code, CodeOrRecovery


class SecondFactorOffer(Answer):
    """The address (`otpauth:`) that an authenticator reads from a QR code. The second factor is valid once confirmed."""

    otpauth: str


class EnrolSecondFactor(Command):
    """A person requests a second factor with their password. `code`: of the present second factor, if they have one."""

    subject: ClassVar[str] = "cmd.second-factor.enrol.v1"
    answer: ClassVar[type[Answer]] = SecondFactorOffer
    secret: ClassVar[bool] = True
    while_enrolling: ClassVar[bool] = True
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    code: CodeOrRecovery | None = None


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
