"""The router registers the handlers of a service: `answers` for a request, `on` for an event, `due` for a task."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import SelectBase

from shared.contracts.messages import Answer, Event, Request
from shared.handling.task import Task
from shared.handling.work import Work

R = TypeVar("R", bound=Request)
E = TypeVar("E", bound=Event)
T = TypeVar("T", bound=Task)
A = TypeVar("A", bound=Answer)
M = TypeVar("M", bound=BaseModel)
H = TypeVar("H")

Handler = Callable[[M, Work], Awaitable[None]]
RequestFunction = Callable[[Any, Work], Awaitable[Answer]]
EventFunction = Callable[[Any, Work], Awaitable[None]]
StartFunction = Callable[[Work], Awaitable[None]]
LostKeysFunction = Callable[[Sequence[str], Work], Awaitable[None]]


@dataclass(kw_only=True)
class Router:
    """The handlers of one service, or of a part of it, by the class of the message or task."""

    requests: dict[type[Request], RequestFunction] = field(default_factory=dict)
    events: dict[type[Event], EventFunction] = field(default_factory=dict)
    tasks: dict[type[Task], EventFunction] = field(default_factory=dict)
    facts: dict[str, SelectBase] = field(default_factory=dict)
    reannouncing: dict[str, tuple[SelectBase, EventFunction]] = field(default_factory=dict)
    replay: dict[type[Event], EventFunction] = field(default_factory=dict)
    lost_keys: dict[str, LostKeysFunction] = field(default_factory=dict)
    start: list[StartFunction] = field(default_factory=list)

    def answers(self, request: type[R]) -> Callable[[Callable[[R, Work], Awaitable[A]]], Callable[[R, Work], Awaitable[A]]]:
        """Registers the handler of a command or question. It runs in one transaction and returns an answer or refuses."""
        return _register(self.requests, request)

    def on(self, event: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Registers the handler of an event. It must not refuse: it stores an event that arrives early."""
        return _register(self.events, event)

    def due(self, task: type[T]) -> Callable[[Handler[T]], Handler[T]]:
        """Registers the handler of a task: slow or later work, after the commit of its cause, on any replica."""
        return _register(self.tasks, task)

    def at_start(self, handler: StartFunction) -> StartFunction:
        """Registers a step that runs whenever a replica starts, so it must be idempotent."""
        self.start.append(handler)
        return handler

    def reannounces(self, noun: str, keys: SelectBase) -> Callable[[EventFunction], EventFunction]:
        """Registers a function that announces the present state of one noun. `keys` selects one column of all its keys.

        The events have the versions announced before, so a listener that has them changes nothing.
        """

        def register(handler: EventFunction) -> EventFunction:
            _once(self.reannouncing, noun, (keys, handler))
            return handler

        return register

    def on_replay(self, event: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Registers a function that applies an event of this service that its restored database has lost."""
        return _register(self.replay, event)

    def on_lost_keys(self, fact: str) -> Callable[[LostKeysFunction], LostKeysFunction]:
        """Registers a function that is called with keys that other services know and this restored database has lost."""
        return _register(self.lost_keys, fact)

    def fact(self, name: str, keys: SelectBase) -> None:
        """Declares a fact for the consistency check. `keys` selects one column: the keys for which the fact is true."""
        _once(self.facts, name, keys)

    def event_of(self, subject: str) -> tuple[type[Event], EventFunction]:
        """The event of a subject and its handler. Raises KeyError."""
        for event, handler in self.events.items():
            if event.subject == subject:
                return event, handler
        raise KeyError(subject)

    def include(self, other: "Router") -> None:
        """Adds the handlers of a part of the service. Raises ValueError for a second handler of the same class."""
        self.start.extend(other.start)
        for mine, theirs in (
            (self.requests, other.requests),
            (self.events, other.events),
            (self.tasks, other.tasks),
            (self.facts, other.facts),
            (self.reannouncing, other.reannouncing),
            (self.replay, other.replay),
            (self.lost_keys, other.lost_keys),
        ):
            for key, handler in theirs.items():
                _once(mine, key, handler)


def _register(handlers: dict[Any, Any], key: Any) -> Callable[[H], H]:
    def register(handler: H) -> H:
        _once(handlers, key, handler)
        return handler

    return register


def _once(handlers: dict[Any, Any], key: Any, handler: Any) -> None:
    if key in handlers:
        raise ValueError(f"{key} already has a handler: {handlers[key]}")
    handlers[key] = handler
