"""Requests of the operator, which every service answers. Subjects: `ops.<service>.<verb>.v1`."""

from shared.contracts.operations.consistency import (
    MAX_KEYS,
    AskDigest,
    Digest,
    Fact,
    Keys,
    ListKeys,
    ListLostKeys,
    announced,
    heard,
)
from shared.contracts.operations.dead_letters import (
    DeadLetter,
    DeadLetters,
    DiscardDeadLetter,
    Discarded,
    ListDeadLetters,
    Retried,
    RetryDeadLetter,
    ShowDeadLetter,
)
from shared.contracts.operations.health import AskHealth, AskLag, Health, Lag
from shared.contracts.operations.recovery import AskRecovery, ConfirmRecovery, Learned, LearnLostKeys, Recovery
from shared.contracts.operations.replay import Noun, Reannounce, Reannounced, Republish, Republished

__all__ = [
    "MAX_KEYS",
    "AskDigest",
    "AskHealth",
    "AskLag",
    "AskRecovery",
    "ConfirmRecovery",
    "DeadLetter",
    "DeadLetters",
    "Digest",
    "DiscardDeadLetter",
    "Discarded",
    "Fact",
    "Health",
    "Keys",
    "Lag",
    "LearnLostKeys",
    "Learned",
    "ListDeadLetters",
    "ListKeys",
    "ListLostKeys",
    "Noun",
    "Reannounce",
    "Reannounced",
    "Recovery",
    "Republish",
    "Republished",
    "Retried",
    "RetryDeadLetter",
    "ShowDeadLetter",
    "announced",
    "heard",
]
