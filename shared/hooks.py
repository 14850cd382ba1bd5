"""Named points at which a test can inject a fault. The product sets no hook."""

from collections.abc import Awaitable, Callable

Hook = Callable[[str], Awaitable[None]]

_hooks: dict[str, Hook] = {}


def set_hook(point: str, hook: Hook) -> None:
    """Calls `hook`, with the subject that is processed, whenever the program reaches a point."""
    _hooks[point] = hook


async def reached(point: str, subject: str = "") -> None:
    """Tells that the program has reached a point."""
    if hook := _hooks.get(point):
        await hook(subject)
