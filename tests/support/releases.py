"""Creates a newer release of the service fees: a copy of this one in another folder, with more migrations."""

import ast
import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import nkeys

from shared.database.migrations.schema import heads_of
from shared.security.event_signatures import event_keys_json
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]

MIGRATION = '''"""A step of a test.

Revision ID: {revision}
"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None
{oldest}

def upgrade() -> None:
    {step}
'''


@dataclass(frozen=True)
class Step:
    """An additional migration, of the plumbing or of the service. `oldest_code`: for a migration that contracts the schema."""

    revision: str
    step: str
    oldest_code: str | None = None


def expansion(revision: str) -> Step:
    """A migration that adds a column."""
    return Step(revision, f'op.add_column("payments", sa.Column("note_{revision}", sa.Text(), nullable=True))')


def contraction(revision: str, oldest_code: str) -> Step:
    """A migration that drops a column that this release writes."""
    return Step(revision, 'op.drop_column("payments", "recorded_at")', oldest_code)


def a_newer_release(folder: Path, *steps: Step) -> Path:
    """Creates the newer release in a folder. `python -m services.fees` runs it there."""
    shutil.copytree(ROOT / "shared", folder / "shared")
    shutil.copytree(ROOT / "services" / "fees", folder / "services" / "fees")
    (folder / "services" / "__init__.py").touch()
    newest = {head.partition("_")[0]: head for head in heads_of("fees")}
    for step in steps:
        branch = step.revision.partition("_")[0]
        versions = folder / ("shared/database/migrations/versions" if branch == "plumbing" else "services/fees/migrations")
        oldest = f'oldest_code = "{step.oldest_code}"\n' if step.oldest_code else ""
        migration = MIGRATION.format(revision=step.revision, before=newest[branch], step=step.step, oldest=oldest)
        newest[branch] = step.revision
        (versions / f"{step.revision}.py").write_text(migration)
    return folder


async def run(command: str, url: str, release: Path = ROOT, **environment: str) -> tuple[int | None, str]:
    """Runs a command of the service fees; returns its exit code and its output."""
    with NamedTemporaryFile(suffix=".seed") as seed, NamedTemporaryFile(suffix=".json") as event_keys:
        Path(seed.name).write_bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))
        key = nkeys.from_seed(Path(seed.name).read_bytes()).public_key.decode()
        Path(event_keys.name).write_bytes(event_keys_json({"fees": {key: None}}))
        present = {"CO_DATABASE_URL": url, "CO_HTTP_PORT": str(free_port())}
        present |= {"CO_NATS_SEED_FILE": seed.name, "CO_EVENT_KEYS_FILE": event_keys.name}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.fees",
            command,
            cwd=release,
            env=os.environ | present | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode()


async def migrated_by(release: Path, url: str) -> None:
    """Migrates a database with a newer release."""
    code, output = await run("migrate", url, release)
    assert code == 0, output


REMOVALS = {"drop_column", "drop_table", "drop_constraint", "rename_table", "execute"}
RESTRICTIONS = {"create_unique_constraint", "create_check_constraint", "create_foreign_key", "create_primary_key"}


def contractions_in(migration: str) -> Iterator[str]:
    """The operations in the source of a migration that may break older code. Such a migration must have an `oldest_code`."""
    new_tables = set()
    for call in (node for node in ast.walk(ast.parse(migration)) if isinstance(node, ast.Call)):
        name, given = ast.unparse(call.func).removeprefix("op."), [ast.unparse(value) for value in call.args]
        named = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if name == "create_table":
            new_tables.add(given[0])
        unique = name == "create_index" and named.get("unique") == "True" and given[1] not in new_tables
        altered = name == "alter_column" and named.get("nullable") != "True"
        required = name == "add_column" and "nullable=False" in given[1] and "server_default" not in given[1]
        if name in REMOVALS | RESTRICTIONS or unique or altered or required:
            yield name
