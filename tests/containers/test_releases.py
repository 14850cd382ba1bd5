"""The schema of the next release is migrated first. Replicas of this release continue and start on it."""

import asyncio
from pathlib import Path

from shared.database.migrations.schema import heads_of
from tests.containers.composed import Composed
from tests.containers.traffic import under_load
from tests.support.load import Load
from tests.support.releases import MIGRATION

EXPANSIONS = {
    "certificates": 'op.add_column("certificates", sa.Column("of_the_next_release", sa.Text(), nullable=True))',
    "fees": 'op.add_column("payments", sa.Column("of_the_next_release", sa.Text(), nullable=True))',
}


async def test_this_release_works_on_the_expanded_schema_of_the_next(composed: Composed, load: Load, tmp_path: Path) -> None:
    async with under_load(load):
        for service, step in EXPANSIONS.items():
            (head,) = [head for head in heads_of(service) if head.startswith(service)]
            revision = f"{service}_next"
            migration = tmp_path / f"{revision}.py"
            migration.write_text(MIGRATION.format(revision=revision, before=head, step=step, oldest=""))
            migration.chmod(0o644)
            tmp_path.chmod(0o755)
            inside = f"/app/services/{service}/migrations/{revision}.py"
            await composed.compose("run", "--rm", "--no-deps", "--volume", f"{migration}:{inside}:ro", f"{service}-migrate")

        restarted = [composed.replicas(service)[0] for service in EXPANSIONS]
        await asyncio.gather(*(replica.restart() for replica in restarted))
        assert all([await replica.is_ready() for replica in restarted])
