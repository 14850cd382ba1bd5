"""`co backup` and `co restore` on the databases of an embedded run that is not running."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from cli.main import app
from deploy.embedded.layout import Layout
from shared.database.migrations.schema import migrate


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An embedded run with the databases of two services."""
    layout = Layout(tmp_path / "var")
    (layout.root / "data").mkdir(parents=True)
    for service in ("fees", "tracking"):
        migrate(service, make_url(layout.database_url(service)))
    return layout.root


def co(*words: str | Path) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        app([str(word) for word in words])
    return int(ended.value.code or 0)


def test_a_backup_is_restored_and_the_next_step_is_printed(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert co("backup", "fees", "tracking", "--to", tmp_path / "copies", "--root", root) == 0
    fees, _ = sorted((tmp_path / "copies").iterdir())
    assert fees.name.startswith("fees-KH-")

    assert co("restore", "fees", fees, "--root", root) == 0

    assert "run and confirm `co recover fees`" in capsys.readouterr().out
    assert len(list((root / "data").glob("fees.before-restore-*.db"))) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("restore", "tracking", "COPY"), "is a backup of fees KH sqlite and cannot be restored as tracking KH sqlite"),
        (("restore", "fees", "nothing.copy"), "There is no backup nothing.copy"),
        (("restore", "ships", "COPY"), "There is no service ships"),
        (("backup", "ships", "--to", "COPIES"), "There is no service ships"),
        (("backup", "registry", "--to", "COPIES"), "The database of registry cannot be backed up"),
        (("backup", "--to", "COPIES", "--database-url", "sqlite:///x"), "With --database-url name one service"),
    ],
)
def test_a_refusal_is_one_sentence(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert co("backup", "fees", "--to", tmp_path, "--root", root) == 0
    (copy,) = tmp_path.glob("*.copy")
    places = {"COPY": str(copy), "COPIES": str(tmp_path / "copies")}

    assert co(*(places.get(word, word) for word in words), "--root", root) == 2

    error = " ".join(capsys.readouterr().err.split())
    assert error.startswith("co: ")
    assert sentence in error
