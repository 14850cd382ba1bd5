"""The life cycle of a certificate: its statuses, the acts, and which status allows which act."""

from enum import StrEnum

from shared.refusals import Refused


class Status(StrEnum):
    """The status of a certificate."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    ISSUED = "issued"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"


class Act(StrEnum):
    """What can be done with a certificate."""

    REVISE = "revise"
    DISCARD = "discard"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    RETURN = "return"
    REVIEW = "review"
    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"
    ISSUE = "issue"
    CANCEL = "cancel"


ALLOWED: dict[Status, frozenset[Act]] = {
    Status.DRAFT: frozenset({Act.REVISE, Act.DISCARD, Act.SUBMIT}),
    Status.SUBMITTED: frozenset({Act.WITHDRAW, Act.RETURN, Act.REVIEW, Act.REJECT}),
    Status.RETURNED: frozenset({Act.REVISE, Act.DISCARD, Act.SUBMIT}),
    Status.REVIEWED: frozenset({Act.WITHDRAW, Act.RETURN, Act.APPROVE, Act.REJECT}),
    Status.APPROVED: frozenset({Act.HOLD, Act.ISSUE}),
    Status.ISSUED: frozenset({Act.CANCEL}),
    Status.REJECTED: frozenset(),
    Status.WITHDRAWN: frozenset({Act.REVISE, Act.DISCARD, Act.SUBMIT}),
    Status.DISCARDED: frozenset(),
    Status.CANCELLED: frozenset(),
}
"""Which acts a status allows. A certificate that is held can be rejected, although it is approved."""

IN_PROCESS = frozenset({Status.SUBMITTED, Status.REVIEWED, Status.APPROVED})
"""The statuses of a certificate that the ministry works on. Its fee is owed."""


class NotAllowedNow(Refused):
    code = "certificate_not_allowed_now"


class AlreadySubmitted(NotAllowedNow):
    code = "certificate_already_submitted"


def waits_for(status: Status, *, submission: int, settled: bool, held_because: str | None) -> tuple[str, ...]:
    """What must happen before a certificate is issued, as codes. Empty after a decision."""
    acts = {
        Status.DRAFT: ("submission",),
        Status.SUBMITTED: ("review", "approval"),
        Status.RETURNED: ("correction",),
        Status.REVIEWED: ("approval",),
        Status.APPROVED: (),
        Status.WITHDRAWN: ("submission",),
    }.get(status)
    if acts is None:
        return ()
    payment = ("payment",) if submission and not settled and status is not Status.WITHDRAWN else ()
    held = (held_because,) if held_because else ()
    return acts + payment + held
