"""Which tests stay together where several workers share a run, and which begin first."""

from xdist.scheduler import LoadScopeScheduling

TOGETHER = (
    "tests/containers/",
    "tests/stories/faults/",
    "tests/stories/test_recovery.py",
    "tests/stories/",
    "tests/registry/test_year.py",
    "tests/cli/test_co.py",
    "tests/deploy/test_bus_permissions.py",
)
"""Tests that share something slow to start, or that take long, by the beginning of their names: the longest come first."""


def group_of(nodeid: str) -> int:
    """The position of a test's group; tests without a group come after all groups."""
    return next((number for number, start in enumerate(TOGETHER) if nodeid.startswith(start)), len(TOGETHER))


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each group to one worker, and every other test to the worker that is free."""

    def _split_scope(self, nodeid: str) -> str:
        group = group_of(nodeid)
        return nodeid if group == len(TOGETHER) else TOGETHER[group]
