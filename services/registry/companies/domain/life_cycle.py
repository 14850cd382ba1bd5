"""The life cycle of a registration: its statuses, and the acts that each of them allows."""

from enum import StrEnum


class Status(StrEnum):
    """The status of a registration."""

    APPLIED = "applied"
    RETURNED = "returned"
    REFUSED = "refused"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


class Asked(StrEnum):
    """The status of the application for another year."""

    NOTHING = "nothing"
    APPLIED = "applied"
    RETURNED = "returned"


class Act(StrEnum):
    """An act on a registration. The first two begin it; the last has no actor."""

    APPLY = "apply"
    IMPORT = "import"
    CORRECT = "correct"
    ATTACH = "attach"
    HAND_IN = "hand in"
    RENEW = "renew"
    APPROVE = "approve"
    RETURN = "return"
    REFUSE = "refuse"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    EXPIRE = "expire"


_PREPARED = frozenset({Act.CORRECT, Act.ATTACH})
_DECIDED = _PREPARED | {Act.APPROVE, Act.RETURN, Act.REFUSE}
_CORRECTED = _PREPARED | {Act.HAND_IN, Act.REFUSE}

ALLOWED: dict[tuple[Status, Asked], frozenset[Act]] = {
    (Status.APPLIED, Asked.NOTHING): _DECIDED,
    (Status.RETURNED, Asked.NOTHING): _CORRECTED,
    (Status.REFUSED, Asked.NOTHING): _PREPARED | {Act.HAND_IN},
    (Status.ACTIVE, Asked.NOTHING): frozenset({Act.RENEW, Act.SUSPEND, Act.EXPIRE}),
    (Status.ACTIVE, Asked.APPLIED): _DECIDED | {Act.SUSPEND, Act.EXPIRE},
    (Status.ACTIVE, Asked.RETURNED): _CORRECTED | {Act.SUSPEND, Act.EXPIRE},
    (Status.SUSPENDED, Asked.NOTHING): frozenset({Act.REINSTATE, Act.EXPIRE}),
    (Status.SUSPENDED, Asked.APPLIED): (_DECIDED - {Act.APPROVE}) | {Act.REINSTATE, Act.EXPIRE},
    (Status.SUSPENDED, Asked.RETURNED): _CORRECTED | {Act.REINSTATE, Act.EXPIRE},
    (Status.EXPIRED, Asked.NOTHING): frozenset({Act.RENEW}),
    (Status.EXPIRED, Asked.APPLIED): _DECIDED,
    (Status.EXPIRED, Asked.RETURNED): _CORRECTED,
}
"""The acts that each status allows, by the status of a renewal: the life cycle, for a registrar to check.

A refused company may correct and hand in again; the refusal stays in the history (ours). A suspended registration gets no
other year: an officer must reinstate it first (ours).
"""
