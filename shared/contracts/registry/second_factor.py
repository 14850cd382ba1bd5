"""The second factor: an authenticator of a person's own (TOTP, RFC 6238), and codes for the day it is lost."""

from typing import Annotated, ClassVar

from pydantic import StringConstraints

from shared.contracts.messages import Answer, Command
from shared.contracts.registry.identity import Code, CodeOrRecovery


class SecondFactorOffer(Answer):
    """What to put into an authenticator, as the address that it reads from a picture. It counts once it is confirmed."""

    otpauth: str


class EnrolSecondFactor(Command):
    """A person asks for a second factor, by the password; whoever has one already also shows a code of it."""

    subject: ClassVar[str] = "cmd.second-factor.enrol.v1"
    answer: ClassVar[type[Answer]] = SecondFactorOffer
    secret: ClassVar[bool] = True
    while_enrolling: ClassVar[bool] = True
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    code: CodeOrRecovery | None = None


class RecoveryCodes(Answer):
    """Each opens one session in place of a code. They are shown this once: print them."""

    recovery_codes: tuple[str, ...]


class ConfirmSecondFactor(Command):
    """The first code of the new authenticator: from now on it is asked for at every sign-in."""

    subject: ClassVar[str] = "cmd.second-factor.confirm.v1"
    answer: ClassVar[type[Answer]] = RecoveryCodes
    secret: ClassVar[bool] = True
    while_enrolling: ClassVar[bool] = True
    code: Code
