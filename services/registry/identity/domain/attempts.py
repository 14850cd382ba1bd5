"""Failed attempts to sign in delay the next ones. Three counters count them: of the address, the account, and the codes.

An attempt counts as failed from the start. `COUNTED` says which counters it raises, `EFFECTS` what its outcome does to them.
The figures are ours, with their reasons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.registry.identity.domain.passkey import PasskeyCopied, PasskeyWrong, Shown
from services.registry.identity.domain.second_factor import SecondFactorRequired, SecondFactorWrong
from services.registry.identity.domain.session import SignInDelayed, SignInFailed
from shared.refusals import Refused

FIRST_DELAY, LONGEST_DELAY = timedelta(minutes=1), timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(hours=24)
"""A counter starts again after a day without attempts."""


class Counter(StrEnum):
    """Whose attempts are counted."""

    ADDRESS = "address"
    ACCOUNT = "account"
    CODES = "codes"


FREE_ATTEMPTS = 5
"""Failed attempts on an account before the first delay."""
FREE_ATTEMPTS_OF_ADDRESS = 50
"""The same for an address, because a whole office may share it."""
FREE: Mapping[Counter, int] = {
    Counter.ADDRESS: FREE_ATTEMPTS_OF_ADDRESS,
    Counter.ACCOUNT: FREE_ATTEMPTS,
    Counter.CODES: FREE_ATTEMPTS,
}


class Situation(StrEnum):
    """In which situation a person signs in.

    `DELAYED_WITH_CODE`: guessers have delayed the account, and the person shows a code of the authenticator, or a passkey. The
    right password and a good one of these open the account; every other attempt is refused like those of the guessers.
    """

    NORMAL = "normal"
    DELAYED_WITH_CODE = "delayed_with_code"


class Stage(StrEnum):
    """A stage of a sign-in."""

    BEFORE_PASSWORD = "before_password"  # noqa: S105
    AFTER_PASSWORD = "after_password"  # noqa: S105


class Outcome(StrEnum):
    """The outcome of an attempt to sign in."""

    PASSWORD_WRONG = "password_wrong"  # noqa: S105
    CODE_WRONG = "code_wrong"
    CODE_MISSING = "code_missing"
    PASSKEY_WRONG = "passkey_wrong"
    PASSKEY_COPIED = "passkey_copied"
    SIGNED_IN = "signed_in"


class Effect(StrEnum):
    """What an outcome does to a counter: it undoes this attempt alone, or all of them."""

    FORGIVE = "forgive"
    CLEAR = "clear"


COUNTED: Mapping[tuple[Situation, Stage], tuple[Counter, ...]] = {
    (Situation.NORMAL, Stage.BEFORE_PASSWORD): (Counter.ACCOUNT,),
    (Situation.NORMAL, Stage.AFTER_PASSWORD): (),
    (Situation.DELAYED_WITH_CODE, Stage.BEFORE_PASSWORD): (),
    (Situation.DELAYED_WITH_CODE, Stage.AFTER_PASSWORD): (Counter.CODES,),
}
"""The counters that each stage raises, after the address's, which every attempt raises first.

Codes count only after the right password: a guesser without it uses up none.
"""

EFFECTS: Mapping[Outcome, Mapping[Counter, Effect]] = {
    Outcome.PASSWORD_WRONG: {},
    Outcome.CODE_WRONG: {},
    Outcome.PASSKEY_WRONG: {},
    Outcome.PASSKEY_COPIED: {},
    Outcome.CODE_MISSING: {Counter.ADDRESS: Effect.FORGIVE},
    Outcome.SIGNED_IN: {Counter.ADDRESS: Effect.FORGIVE, Counter.ACCOUNT: Effect.CLEAR, Counter.CODES: Effect.CLEAR},
}
"""What each outcome does to the counters. A person who is asked for a code has not guessed from the address."""


@dataclass(frozen=True)
class SignIn:
    """One attempt to sign in. `delayed_until` is set in the situation `DELAYED_WITH_CODE` alone."""

    delayed_until: datetime | None = None

    @property
    def situation(self) -> Situation:
        """The situation of this attempt."""
        return Situation.DELAYED_WITH_CODE if self.delayed_until else Situation.NORMAL

    def counted(self, stage: Stage) -> tuple[Counter, ...]:
        """The counters that a stage raises."""
        return COUNTED[self.situation, stage]

    def outcome_of_code(self, *, required: bool, shown: bool, good: bool) -> Outcome:
        """The outcome after the right password, by what the person showed as a second factor."""
        if good or (not required and self.situation is Situation.NORMAL):
            return Outcome.SIGNED_IN
        return Outcome.CODE_WRONG if shown else Outcome.CODE_MISSING

    def outcome_of_passkey(self, *, required: bool, shown: Shown) -> Outcome:
        """The outcome after the right password, for a person who showed a passkey."""
        if shown is Shown.GOOD or (not required and self.situation is Situation.NORMAL):
            return Outcome.SIGNED_IN
        return Outcome.PASSKEY_COPIED if shown is Shown.COPIED else Outcome.PASSKEY_WRONG

    def refusal(self, outcome: Outcome, *, has_passkeys: bool = False) -> Refused:
        """The refusal of a person who is not signed in. During a delay it is always the same.

        `has_passkeys`: of the person with the right password. Then a passkey may be shown in place of a code.
        """
        if outcome is Outcome.SIGNED_IN:
            raise ValueError("a person who is signed in is not refused")
        if self.delayed_until:
            return SignInDelayed("email", until=self.delayed_until)
        match outcome:
            case Outcome.PASSWORD_WRONG:
                return SignInFailed("email", "password")
            case Outcome.CODE_WRONG:
                return SecondFactorWrong("code")
            case Outcome.CODE_MISSING:
                return SecondFactorRequired("code", "passkey") if has_passkeys else SecondFactorRequired("code")
            case Outcome.PASSKEY_WRONG:
                return PasskeyWrong("passkey")
            case Outcome.PASSKEY_COPIED:
                return PasskeyCopied("passkey")


def delay_after(failures: int, free: int = FREE_ATTEMPTS) -> timedelta:
    """How long the next attempt must wait: not at all at first, then a minute, doubling to an hour."""
    if failures < free:
        return timedelta()
    return min(FIRST_DELAY * float(2 ** min(failures - free, 10)), LONGEST_DELAY)
