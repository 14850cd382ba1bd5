"""The counters of failed attempts to sign in: the table of the domain, and the rows that it leads to."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import select

from services.registry.identity.domain.attempts import (
    COUNTED,
    EFFECTS,
    FREE,
    FREE_ATTEMPTS,
    FREE_ATTEMPTS_OF_ADDRESS,
    LONGEST_DELAY,
    Counter,
    Effect,
    Outcome,
    SignIn,
    Situation,
    Stage,
    delay_after,
)
from services.registry.identity.domain.passkey import Shown
from services.registry.identity.domain.session import SignInDelayed
from services.registry.identity.store.attempts import SignInCounters, of_account, of_address, of_codes
from services.registry.identity.tables import failed_attempts
from shared.refusals import Refused
from tests.support.service_under_test import ServiceUnderTest

UNTIL = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
NORMAL, DELAYED = SignIn(), SignIn(UNTIL)
EMAIL, ADDRESS = "sok@company.example", "203.0.113.7"
KEYS = {Counter.ADDRESS: of_address(ADDRESS), Counter.ACCOUNT: of_account(EMAIL), Counter.CODES: of_codes(EMAIL)}


def test_the_tables_are_complete() -> None:
    assert set(COUNTED) == set(product(Situation, Stage))
    assert set(EFFECTS) == set(Outcome)
    assert set(FREE) == set(Counter)
    assert (NORMAL.situation, DELAYED.situation) == (Situation.NORMAL, Situation.DELAYED_WITH_CODE)


@pytest.mark.parametrize(
    ("sign_in", "before", "after"),
    [(NORMAL, (Counter.ACCOUNT,), ()), (DELAYED, (), (Counter.CODES,))],
)
def test_each_attempt_counts_on_the_account_or_during_a_delay_on_its_codes(
    sign_in: SignIn, before: tuple[Counter, ...], after: tuple[Counter, ...]
) -> None:
    assert (sign_in.counted(Stage.BEFORE_PASSWORD), sign_in.counted(Stage.AFTER_PASSWORD)) == (before, after)


@pytest.mark.parametrize("outcome", Outcome)
def test_only_a_sign_in_clears_a_counter_and_only_the_right_password_forgives_the_address(outcome: Outcome) -> None:
    cleared = {counter for counter, effect in EFFECTS[outcome].items() if effect is Effect.CLEAR}
    forgiven = {counter for counter, effect in EFFECTS[outcome].items() if effect is Effect.FORGIVE}
    assert cleared == ({Counter.ACCOUNT, Counter.CODES} if outcome is Outcome.SIGNED_IN else set())
    assert forgiven == ({Counter.ADDRESS} if outcome in (Outcome.SIGNED_IN, Outcome.CODE_MISSING) else set())


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.SIGNED_IN])
def test_during_a_delay_every_refusal_is_the_same(outcome: Outcome) -> None:
    refusal = DELAYED.refusal(outcome)
    assert isinstance(refusal, SignInDelayed)
    assert (refusal.detail, refusal.fields) == (
        SignInDelayed("email", until=UNTIL).detail,
        SignInDelayed("email", until=UNTIL).fields,
    )


@pytest.mark.parametrize(
    ("outcome", "code", "fields"),
    [
        (Outcome.PASSWORD_WRONG, "sign_in_failed", ("email", "password")),
        (Outcome.CODE_WRONG, "second_factor_wrong", ("code",)),
        (Outcome.CODE_MISSING, "second_factor_required", ("code",)),
        (Outcome.PASSKEY_WRONG, "second_factor_wrong", ("passkey",)),
        (Outcome.PASSKEY_COPIED, "passkey_copied", ("passkey",)),
    ],
)
def test_without_a_delay_the_refusal_names_what_was_wrong(outcome: Outcome, code: str, fields: tuple[str, ...]) -> None:
    refusal = NORMAL.refusal(outcome)
    assert (refusal.code, refusal.fields) == (code, fields)


def test_a_passkey_is_named_only_to_a_person_who_has_one() -> None:
    assert NORMAL.refusal(Outcome.CODE_MISSING, has_passkeys=True).fields == ("code", "passkey")
    assert DELAYED.refusal(Outcome.CODE_MISSING, has_passkeys=True).fields == ("email",)


@pytest.mark.parametrize("sign_in", [NORMAL, DELAYED])
def test_a_person_who_is_signed_in_is_not_refused(sign_in: SignIn) -> None:
    with pytest.raises(ValueError, match="signed in"):
        sign_in.refusal(Outcome.SIGNED_IN)


@pytest.mark.parametrize(("sign_in", "required", "shown", "good"), list(product((NORMAL, DELAYED), *[(False, True)] * 3)))
def test_the_outcome_of_a_code(sign_in: SignIn, required: bool, shown: bool, good: bool) -> None:
    outcome = sign_in.outcome_of_code(required=required, shown=shown, good=good)
    if good or (sign_in is NORMAL and not required):
        assert outcome is Outcome.SIGNED_IN
    else:
        assert outcome is (Outcome.CODE_WRONG if shown else Outcome.CODE_MISSING)


@pytest.mark.parametrize(("sign_in", "required", "shown"), list(product((NORMAL, DELAYED), (False, True), Shown)))
def test_the_outcome_of_a_passkey(sign_in: SignIn, required: bool, shown: Shown) -> None:
    outcome = sign_in.outcome_of_passkey(required=required, shown=shown)
    if shown is Shown.GOOD or (sign_in is NORMAL and not required):
        assert outcome is Outcome.SIGNED_IN
    else:
        assert outcome is (Outcome.PASSKEY_COPIED if shown is Shown.COPIED else Outcome.PASSKEY_WRONG)


def test_the_delay_doubles_from_a_minute_to_an_hour_and_no_further() -> None:
    assert [delay_after(failures).total_seconds() / 60 for failures in range(4, 13)] == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert delay_after(10**6) == LONGEST_DELAY == timedelta(hours=1)


@pytest.mark.parametrize(("situation", "outcome"), list(product(Situation, Outcome)))
async def test_the_counters_in_the_database_follow_the_tables(
    service: ServiceUnderTest, situation: Situation, outcome: Outcome
) -> None:
    sign_in = SignIn(UNTIL if situation is Situation.DELAYED_WITH_CODE else None)
    async with service.work() as work:  # two failed attempts of another person from the same address
        for _ in range(2):
            await SignInCounters("other@company.example", ADDRESS).count(work, Counter.ADDRESS)
    async with service.work() as work:
        counters = SignInCounters(EMAIL, ADDRESS)
        await counters.count(work, Counter.ADDRESS)
        for stage in Stage:
            await counters.count(work, *sign_in.counted(stage))
        await counters.settle(work, outcome)
        rows = {row.whose: row.failures for row in await work.session.execute(select(failed_attempts))}

    counted = {counter for stage in Stage for counter in sign_in.counted(stage)}
    effects = EFFECTS[outcome]
    expected = {KEYS[Counter.ADDRESS]: 2 if Counter.ADDRESS in effects else 3}
    expected |= {KEYS[counter]: 1 for counter in counted if counter not in effects}
    assert rows == expected


@pytest.mark.parametrize("counter", Counter)
async def test_each_counter_delays_after_its_free_attempts(service: ServiceUnderTest, counter: Counter) -> None:
    assert FREE[counter] == (FREE_ATTEMPTS_OF_ADDRESS if counter is Counter.ADDRESS else FREE_ATTEMPTS)
    async with service.work() as work:
        for _ in range(FREE[counter]):
            await SignInCounters(EMAIL, ADDRESS).count(work, counter)
        with pytest.raises(Refused, match="sign_in_delayed"):
            await SignInCounters(EMAIL, ADDRESS).count(work, counter)


async def test_an_attempt_without_an_address_counts_on_no_address(service: ServiceUnderTest) -> None:
    async with service.work() as work:
        counters = SignInCounters(EMAIL, None)
        await counters.count(work, Counter.ADDRESS, Counter.ACCOUNT)
        await counters.settle(work, Outcome.CODE_MISSING)
        rows = (await work.session.scalars(select(failed_attempts.c.whose))).all()
    assert rows == [KEYS[Counter.ACCOUNT]]
