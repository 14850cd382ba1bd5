"""Generates the permissions of each user of the bus from the contracts.

`python -m deploy.nats.permissions` writes `permissions.conf`: one variable per user, `may_<user>`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from shared.bus.connection import inbox_prefix
from shared.bus.stream import STREAM, about_consumer_subject, last_event_subject, next_events_subject, own_consumer
from shared.contracts.index import ASKERS, OPERATOR, SERVICES, contracts, events_of, requests_to
from shared.contracts.messages import Request

USERS = (*SERVICES, OPERATOR)
"""All bus users of a country that issues certificates. Each has its own seed."""

FILE = Path(__file__).with_name("permissions.conf")
_HEADING = "# Made from the contracts by `python -m deploy.nats.permissions`: do not edit.\n"


@dataclass(frozen=True)
class Permissions:
    """The subjects that a user may publish and subscribe to. `subject queue` allows a subscription in that queue only."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    answers: bool = False
    """Whether the user may also send one reply to each received request."""

    def as_config(self) -> dict[str, object]:
        """The permissions in the format of nats-server."""
        config: dict[str, object] = {"publish": {"allow": self.publish}, "subscribe": {"allow": self.subscribe}}
        return config | {"allow_responses": True} if self.answers else config


def permissions_of(user: str) -> Permissions:
    """The permissions of one user. nats-server refuses everything else."""
    own_inbox = f"{inbox_prefix(user)}.>"
    if user == OPERATOR:
        return Permissions(publish=("ops.>", "$JS.API.>"), subscribe=(own_inbox,))
    asks = tuple(kind.subject for kind in contracts() if issubclass(kind, Request)) if user in ASKERS else ()
    requests = [request.subject for request in requests_to(user)]
    shared_in_queue = (*requests, f"ops.{user}.*.v1")
    own_events = [event.subject for event in events_of(user)]
    consumers = (user, own_consumer(user)) if own_events else (user,)
    return Permissions(
        publish=(
            *asks,
            *own_events,
            *map(last_event_subject, own_events),
            *map(about_consumer_subject, consumers),
            *map(next_events_subject, consumers),
            *(f"$JS.ACK.{STREAM}.{consumer}.>" for consumer in consumers),
        ),
        subscribe=(*(f"{subject} {user}" for subject in shared_in_queue), own_inbox),
        answers=True,
    )


def rendered() -> str:
    """The content of `permissions.conf`."""
    maps = (f"may_{user} = {json.dumps(permissions_of(user).as_config(), indent=2)}\n" for user in USERS)
    return "\n".join((_HEADING, *maps))


if __name__ == "__main__":
    FILE.write_text(rendered())
