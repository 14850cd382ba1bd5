"""One-time links, by which people choose their passwords."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class Purpose(StrEnum):
    """The purpose of a link."""

    INVITATION = "invitation"
    RESET = "reset"


LASTS: Mapping[Purpose, timedelta] = {Purpose.INVITATION: timedelta(days=7), Purpose.RESET: timedelta(hours=1)}
"""How long a link works."""
MIN_INTERVAL = timedelta(minutes=2)
"""The shortest time between two e-mails for the same purpose: a stranger cannot fill a person's mailbox."""
