"""Named points at which a test can inject a fault. A service in production sets no hook."""

from collections.abc import Awaitable, Callable

Hook = Callable[[str], Awaitable[None]]

_hooks: dict[str, Hook] = {}


def set_hook(point: str, hook: Hook) -> None:
    """Calls `hook` with the subject in process whenever the program reaches the point."""
    _hooks[point] = hook


async def reached(point: str, subject: str = "") -> None:
    """Calls the hook of a point, if a test has set one."""
    if hook := _hooks.get(point):
        await hook(subject)
