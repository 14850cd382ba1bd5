"""How a service says what it reacts to: `answers` a request, reacts `on` an event, does a task when `due`."""

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

Handler = Callable[[M, Work], Awaitable[None]]
Answering = Callable[[Any, Work], Awaitable[Answer]]
Reacting = Callable[[Any, Work], Awaitable[None]]
Starting = Callable[[Work], Awaitable[None]]
Reannouncing = Callable[[Any, Work], Awaitable[None]]
Learning = Callable[[Sequence[str], Work], Awaitable[None]]


@dataclass
class Router:
    """The handlers of one service, or of a part of it, by the class of what they handle."""

    answering: dict[type[Request], Answering] = field(default_factory=dict)
    listening: dict[type[Event], Reacting] = field(default_factory=dict)
    doing: dict[type[Task], Reacting] = field(default_factory=dict)
    facts: dict[str, SelectBase] = field(default_factory=dict)
    reannouncing: dict[str, tuple[SelectBase, Reannouncing]] = field(default_factory=dict)
    reading_back: dict[type[Event], Reacting] = field(default_factory=dict)
    learning: dict[str, Learning] = field(default_factory=dict)
    first: list[Starting] = field(default_factory=list)

    def answers(self, request: type[R]) -> Callable[[Callable[[R, Work], Awaitable[A]]], Callable[[R, Work], Awaitable[A]]]:
        """Handles a command or question in one transaction; returns its answer or raises a refusal."""

        def remember(handler: Callable[[R, Work], Awaitable[A]]) -> Callable[[R, Work], Awaitable[A]]:
            _once(self.answering, request, handler)
            return handler

        return remember

    def on(self, event: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Records the fact that an event tells. It may not refuse: a fact that comes early is kept."""

        def remember(handler: Handler[E]) -> Handler[E]:
            _once(self.listening, event, handler)
            return handler

        return remember

    def due(self, task: type[T]) -> Callable[[Handler[T]], Handler[T]]:
        """Does what is slow or later, after the commit of its cause, on any replica."""

        def remember(handler: Handler[T]) -> Handler[T]:
            _once(self.doing, task, handler)
            return handler

        return remember

    def at_start(self, handler: Starting) -> Starting:
        """Is done whenever a replica starts, so it must do no harm when done again."""
        self.first.append(handler)
        return handler

    def reannounces(self, noun: str, keys: SelectBase) -> Callable[[Reannouncing], Reannouncing]:
        """Announces the present state of one noun, of those whose keys the select of one column gives.

        Same versions as before: who knows it already changes nothing.
        """

        def remember(handler: Reannouncing) -> Reannouncing:
            _once(self.reannouncing, noun, (keys, handler))
            return handler

        return remember

    def on_replay(self, event: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Heeds what the service itself announced and, come back from an older copy, has forgotten."""

        def remember(handler: Handler[E]) -> Handler[E]:
            _once(self.reading_back, event, handler)
            return handler

        return remember

    def learns(self, fact: str) -> Callable[[Learning], Learning]:
        """Heeds the keys of which others know a fact and the service, come back from an older copy, does not."""

        def remember(handler: Learning) -> Learning:
            _once(self.learning, fact, handler)
            return handler

        return remember

    def vouches(self, fact: str, keys: SelectBase) -> None:
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
            (self.reannouncing, other.reannouncing),
            (self.reading_back, other.reading_back),
            (self.learning, other.learning),
        ):
            for key, handler in theirs.items():
                _once(mine, key, handler)


def _once(handlers: dict[Any, Any], key: Any, handler: Any) -> None:
    if key in handlers:
        raise ValueError(f"{key} has a handler already: {handlers[key]}")
    handlers[key] = handler
