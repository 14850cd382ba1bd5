"""The index of all contracts. The owner of a contract is the module or package that declares it."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from shared.contracts.messages import Contract, Event, OperatorRequest, Request

SERVICES = ("registry", "certificates", "fees", "gateway", "tracking", "portal")
"""The services on the bus, in the order in which a certificate passes through them, and the portal."""

ASKERS = ("portal",)
"""The users of the bus that may send commands and questions. A service sends none to another service."""

OPERATOR = "operator"
"""The user of the bus that sends operator requests and administers the stream."""


def contracts() -> tuple[type[Request] | type[Event], ...]:
    """Every command, question and event, ordered by subject; without the requests of the operator."""
    found = {kind for service in SERVICES for module in _modules_of(service) for kind in _declared_in(module)}
    return tuple(sorted((kind for kind in found if not issubclass(kind, OperatorRequest)), key=lambda kind: kind.subject))


def operator_requests() -> tuple[type[OperatorRequest], ...]:
    """Every request of the operator, ordered by subject.

    Every service answers those of `operations` and `audit_log`. One that a service declares is answered by this service only.
    """
    owners = ("operations", "audit_log", *SERVICES)
    found = {kind for owner in owners for module in _modules_of(owner) for kind in _declared_in(module)}
    return tuple(sorted((kind for kind in found if issubclass(kind, OperatorRequest)), key=lambda kind: kind.subject))


def operator_requests_to(service: str) -> tuple[type[OperatorRequest], ...]:
    """Every request of the operator that a service answers."""
    return tuple(kind for kind in operator_requests() if owner_of(kind) in ("operations", "audit_log", service))


def owner_of(contract: type[Contract]) -> str:
    """The service that announces an event or answers a request."""
    return contract.__module__.split(".")[2]


def events() -> tuple[type[Event], ...]:
    """Every event, ordered by subject."""
    return tuple(kind for kind in contracts() if issubclass(kind, Event))


def requests_to(service: str) -> tuple[type[Request], ...]:
    """Every command and question that a service answers."""
    return tuple(kind for kind in contracts() if issubclass(kind, Request) and owner_of(kind) == service)


def events_of(service: str) -> tuple[type[Event], ...]:
    """Every event that a service announces."""
    return tuple(kind for kind in events() if owner_of(kind) == service)


def events_heard_by(service: str) -> tuple[type[Event], ...]:
    """Every event that a service may receive."""
    return tuple(kind for kind in events() if service in kind.listeners)


def _modules_of(service: str) -> Iterator[str]:
    """The module of a service's contracts, or the package and its modules."""
    name = f"shared.contracts.{service}"
    yield name
    for part in iter_modules(getattr(import_module(name), "__path__", ())):
        yield f"{name}.{part.name}"


def _declared_in(module: str) -> Iterator[type[Request] | type[Event]]:
    for value in vars(import_module(module)).values():
        if isinstance(value, type) and issubclass(value, Request | Event) and value.__module__ == module:
            yield value
