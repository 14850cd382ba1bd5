"""The definition of a service."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import MetaData
from starlette.routing import BaseRoute

from shared.handling.router import Router
from shared.runtime.http_server import HttpServer
from shared.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Service:
    """The parts of a service: its name, handlers, tables, settings, tools and HTTP routes.

    `tools` builds, once per replica, the objects that handlers get with `work.use(Class)`. `server` serves HTTP.
    """

    name: str
    router: Router
    tables: MetaData
    settings: type[Settings] = Settings
    tools: Callable[..., Iterable[object]] = lambda settings: ()
    routes: Sequence[BaseRoute] = field(default_factory=tuple)
    server: type[HttpServer] = HttpServer
