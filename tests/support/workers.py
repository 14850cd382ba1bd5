"""Distributes tests to workers: tests of a group stay on one worker, and slow groups start first."""

from xdist.scheduler import LoadScopeScheduling

TOGETHER = (
    "tests/containers/",
    "tests/browser/test_demo_",
    "tests/stories/faults/",
    "tests/stories/test_recovery.py",
    "tests/stories/",
    "tests/registry/test_year.py",
    "tests/cli/test_co.py",
    "tests/portal/test_filing.py",
    "tests/portal/test_company.py",
    "tests/portal/test_certificates.py",
    "tests/deploy/test_bus_permissions.py",
    "tests/portal/test_import.py",
    "tests/portal/test_account.py",
    "tests/portal/test_home.py",
    "tests/portal/test_signing_in.py",
)
"""The groups of tests that share a slow fixture or take long, by the prefix of their names. The slowest are first."""


def group_of(nodeid: str) -> int:
    """The position of a test's group; tests without a group come after all groups."""
    return next((number for number, start in enumerate(TOGETHER) if nodeid.startswith(start)), len(TOGETHER))


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """Assigns each group to one worker, and every other test to any free worker."""

    def _split_scope(self, nodeid: str) -> str:
        group = group_of(nodeid)
        return nodeid if group == len(TOGETHER) else TOGETHER[group]
