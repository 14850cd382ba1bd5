"""The gateways of the other members."""

from enum import StrEnum
from typing import ClassVar

from shared.contracts.fields import Country
from shared.contracts.messages import Event


class PartnerState(StrEnum):
    """Whether the gateway of a partner accepts messages."""

    UP = "up"
    DOWN = "down"


class PartnerObserved(Event):
    """The gateway of a partner began to answer, or stopped answering, at `occurred_at`."""

    subject: ClassVar[str] = "evt.partner.observed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"tracking"})
    country: Country
    state: PartnerState
