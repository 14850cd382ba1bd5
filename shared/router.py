"""How a service says what it reacts to: `answers` a request, reacts `on` an event, does a task when `due`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Select

from shared.contracts.kinds import Answer, Event, Request
from shared.work import Task, Work

R = TypeVar("R", bound=Request)
E = TypeVar("E", bound=Event)
T = TypeVar("T", bound=Task)
A = TypeVar("A", bound=Answer)

Answering = Callable[[Any, Work], Awaitable[Answer]]
Reacting = Callable[[Any, Work], Awaitable[None]]
Starting = Callable[[Work], Awaitable[None]]


@dataclass
class Router:
    """The handlers of one service, or of a part of it, by the class of what they handle."""

    answering: dict[type[Request], Answering] = field(default_factory=dict)
    listening: dict[type[Event], Reacting] = field(default_factory=dict)
    doing: dict[type[Task], Reacting] = field(default_factory=dict)
    facts: dict[str, Select[Any]] = field(default_factory=dict)
    first: list[Starting] = field(default_factory=list)

    def answers(self, request: type[R]) -> Callable[[Callable[[R, Work], Awaitable[A]]], Callable[[R, Work], Awaitable[A]]]:
        """Handles a command or question in one transaction; returns its answer or raises a refusal."""

        def remember(handler: Callable[[R, Work], Awaitable[A]]) -> Callable[[R, Work], Awaitable[A]]:
            _once(self.answering, request, handler)
            return handler

        return remember

    def on(self, event: type[E]) -> Callable[[Callable[[E, Work], Awaitable[None]]], Callable[[E, Work], Awaitable[None]]]:
        """Records the fact that an event tells. It may not refuse: a fact that comes early is kept."""

        def remember(handler: Callable[[E, Work], Awaitable[None]]) -> Callable[[E, Work], Awaitable[None]]:
            _once(self.listening, event, handler)
            return handler

        return remember

    def due(self, task: type[T]) -> Callable[[Callable[[T, Work], Awaitable[None]]], Callable[[T, Work], Awaitable[None]]]:
        """Does what is slow or later, after the commit of its cause, on any replica."""

        def remember(handler: Callable[[T, Work], Awaitable[None]]) -> Callable[[T, Work], Awaitable[None]]:
            _once(self.doing, task, handler)
            return handler

        return remember

    def at_start(self, handler: Starting) -> Starting:
        """Is done whenever a replica starts, so it must do no harm when done again."""
        self.first.append(handler)
        return handler

    def vouches(self, fact: str, keys: Select[Any]) -> None:
        """Declares a fact for the audit: a select of the one column of keys that it is true of."""
        _once(self.facts, fact, keys)

    def include(self, other: "Router") -> None:
        """Takes over the handlers of a part of the service."""
        self.first.extend(other.first)
        for mine, theirs in (
            (self.answering, other.answering),
            (self.listening, other.listening),
            (self.doing, other.doing),
            (self.facts, other.facts),
        ):
            for key, handler in theirs.items():
                _once(mine, key, handler)


def _once(handlers: dict[Any, Any], key: Any, handler: Any) -> None:
    if key in handlers:
        raise ValueError(f"{key} has a handler already: {handlers[key]}")
    handlers[key] = handler
