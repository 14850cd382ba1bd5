"""The ledger of originals: never more is taken than there is, also by certificates that are submitted at the same time."""

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.certificates.domain.original import Line, Original, Use, id_of
from services.certificates.store.originals import find_original, keep_original, release, remaining_of, take
from shared.contracts.certificates.issuing import SubmitCertificate
from shared.contracts.certificates.originals import GetOriginal
from shared.contracts.certificates.withdrawing import WithdrawCertificate
from tests.certificates.test_handlers import REVIEWER, Trader
from tests.certificates.test_originals import ORIGINAL, items, receive
from tests.support.service_under_test import ServiceUnderTest

AT_ONCE = 50


def an_original(quantities: list[int]) -> Original:
    """A new original with these quantities, in millionths."""
    reference = uuid4().hex
    lines = {
        number: Line(number=number, hs_code="610910", description="", quantity=quantity, unit="PCS")
        for number, quantity in enumerate(quantities, start=1)
    }
    day = ORIGINAL["issued_on"]
    return Original(
        original_id=id_of("TH", reference),
        country="TH",
        reference=reference,
        issued_on=day,
        valid_until=day.replace(year=day.year + 1),
        consignee="",
        version=1,
        lines=lines,
    )


quantities = st.integers(min_value=1, max_value=10**18)


@given(
    have=st.lists(quantities, min_size=1, max_size=3),
    acts=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.one_of(st.none(), st.lists(st.tuples(st.integers(0, 2), quantities), min_size=1, max_size=3)),
        ),
        max_size=12,
    ),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_line_is_never_overdrawn_and_what_comes_back_is_exactly_what_was_taken(
    service: ServiceUnderTest, have: list[int], acts: list[tuple[int, list[tuple[int, int]] | None]]
) -> None:
    """Each act: a certificate takes from lines, or gives all back. Compared with a model of plain sums."""
    original, certificates = an_original(have), [uuid4() for _ in range(4)]
    model: dict[UUID, list[tuple[int, int]]] = {}
    async with service.work() as work:
        await keep_original(work, original)
    for who, wanted in acts:
        certificate_id = certificates[who]
        if wanted is None:
            async with service.work() as work:
                await release(work, certificate_id)
            model.pop(certificate_id, None)
        elif certificate_id not in model:
            lines = [(line % len(have) + 1, quantity) for line, quantity in wanted]
            if await taken(service, original, certificate_id, lines):
                model[certificate_id] = lines
        async with service.work() as work:
            found = await find_original(work, original.original_id)
        assert found is not None
        expected = Counter[int]()
        for held in model.values():
            for line, quantity in held:
                expected[line] += quantity
        assert {number: line.taken for number, line in found.lines.items()} == {n: expected[n] for n in found.lines}
        assert all(0 <= line.taken <= line.quantity for line in found.lines.values())


class NotEnough(Exception):
    """Rolls the transaction back, as a refusal does."""


async def taken(service: ServiceUnderTest, original: Original, certificate_id: UUID, lines: list[tuple[int, int]]) -> bool:
    """Whether a certificate could take all it wants. If not, it takes nothing."""
    uses = [
        Use(
            certificate_id=certificate_id,
            item=number,
            original_id=original.original_id,
            line=line,
            quantity=quantity,
            unit="PCS",
        )
        for number, (line, quantity) in enumerate(lines, start=1)
    ]
    try:
        async with service.work() as work:
            if short := await take(work, uses):
                assert await remaining_of(work, short) < short.quantity
                raise NotEnough
    except NotEnough:
        return False
    return True


async def submit_all(service: ServiceUnderTest, trader: Trader, ids: list[UUID]) -> list[Any]:
    """Submits certificates at the same time. A temporary failure is repeated, as a client does."""

    async def submit(certificate_id: UUID) -> Any:
        while True:
            answer = await service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
            if getattr(answer, "code", "") != "temporarily_unavailable":
                return answer

    return await asyncio.gather(*map(submit, ids))


async def test_of_fifty_submissions_at_the_same_time_exactly_those_succeed_that_the_original_covers(
    on_postgres: ServiceUnderTest,
) -> None:
    trader = await Trader(on_postgres).begin()
    await receive(on_postgres, "1000")
    each = items(trader, "20", "13")  # 30 of 50 fit: 990 of 1000
    ids = [(await trader.draft(items=each)).certificate_id for _ in range(AT_ONCE)]

    answers = await submit_all(on_postgres, trader, ids)

    refused = [answer for answer in answers if hasattr(answer, "code")]
    assert {answer.code for answer in refused} == {"original_exceeded"}
    assert len(answers) - len(refused) == 30
    assert {Decimal(answer.values["remaining"]) for answer in refused} <= {Decimal(10), Decimal(0)} | {
        Decimal(n) for n in range(13)
    }
    state = await on_postgres.ask(GetOriginal(**ORIGINAL), REVIEWER)
    assert state.lines[0].remaining == 10
    assert sum(use.quantity for use in state.uses) == 990

    submitted = [certificate_id for certificate_id, answer in zip(ids, answers, strict=True) if answer not in refused]
    await asyncio.gather(*(on_postgres.ask(WithdrawCertificate(certificate_id=each), trader.person) for each in submitted))
    state = await on_postgres.ask(GetOriginal(**ORIGINAL), REVIEWER)
    assert (state.lines[0].remaining, state.uses) == (1000, ())


async def test_certificates_that_name_two_lines_in_opposite_order_do_not_block_each_other(
    on_postgres: ServiceUnderTest,
) -> None:
    trader = await Trader(on_postgres).begin()
    two = [{"number": n, "hs_code": "61", "description": "", "quantity": "25", "unit": "PCS"} for n in (1, 2)]
    await receive(on_postgres, items=two)
    one, other = (items(trader, "1", line=line)[0] for line in (1, 2))
    ids = [(await trader.draft(items=[one, other] if n % 2 else [other, one])).certificate_id for n in range(AT_ONCE)]

    answers = [await on_postgres.ask(SubmitCertificate(certificate_id=ids[0]), trader.person)]
    answers += await asyncio.gather(
        *(on_postgres.ask(SubmitCertificate(certificate_id=each), trader.person) for each in ids[1:])
    )

    codes = Counter(getattr(answer, "code", "submitted") for answer in answers)
    assert codes == {"submitted": 25, "original_exceeded": 25}, "no deadlock, so nothing was temporarily unavailable"
    state = await on_postgres.ask(GetOriginal(**ORIGINAL), REVIEWER)
    assert [line.remaining for line in state.lines] == [0, 0]
