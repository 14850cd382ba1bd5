"""The output and the exit codes of `co` on a running system."""

import asyncio
import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import nkeys
import pytest

from cli.main import app
from deploy.embedded.layout import Layout
from deploy.nats.server_conf import Tls
from tests.support.bus import a_bus

pytestmark = pytest.mark.slow

NOMENCLATURE = Path(__file__).parents[1] / "certificates" / "nomenclature.csv"
SERVICES = ("registry", "certificates", "fees", "gateway", "tracking", "portal")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which `co up` runs the services of the home country."""
    root = tmp_path_factory.mktemp("co") / "var"
    co = (sys.executable, "-c", "from cli.main import app; app()")
    up = subprocess.Popen((*co, "up", "--root", root, "--any-ports", "--empty-partners"), stdout=subprocess.PIPE, text=True)
    assert up.stdout is not None
    lines = []
    while not (lines and lines[-1].startswith("Ctrl-C stops it")):
        lines.append(up.stdout.readline())
        assert lines[-1], "".join(lines)
    try:
        yield root
    finally:
        up.send_signal(signal.SIGTERM)
        last = up.communicate(timeout=40)[0].split()
    assert (up.returncode, last) == (0, ["stopping", "stopped"])
    assert re.search(r"ready in \d+\.\d s", "".join(lines))


class Result:
    """The output and the exit code of a command."""

    def __init__(self, code: int, out: str, error: str) -> None:
        self.code, self.out, self.error = code, out, error


Co = Callable[..., Result]


@pytest.fixture
def co(root: Path, capsys: pytest.CaptureFixture[str]) -> Co:
    """Runs a command on that system."""

    def run(*words: str, on: Path | None = root) -> Result:
        with pytest.raises(SystemExit) as ended:
            app([*words, *(("--root", str(on)) if on else ())])
        printed = capsys.readouterr()
        return Result(int(ended.value.code or 0), printed.out, printed.err)

    return run


def leave_dead_letter(root: Path, service: str, body: bytes) -> int:
    """Inserts an event as a dead letter of a service."""
    error, died_at = "Traceback ...\nValueError: [not] like that", "2026-11-23T08:00:00.000000Z"
    with sqlite3.connect(Layout.of_running(root).database_url(service).split("///")[1]) as database:
        inserted = database.execute(
            "INSERT INTO dead_letters (kind, name, key, body, error, died_at) VALUES (?, ?, ?, ?, ?, ?)",
            ("event", "evt.session.revoked.v1", str(uuid4()), body, error, died_at),
        )
    return inserted.lastrowid or 0


def revoked() -> bytes:
    now = datetime.now(UTC)
    event = {"version": 1, "occurred_at": now, "session_id": uuid4(), "until": now + timedelta(hours=1)}
    return json.dumps(event, default=str).encode()


def test_health_shows_that_every_service_is_ready(co: Co) -> None:
    result = co("health")
    assert result.code == 0
    assert [line.split()[:2] for line in result.out.splitlines()[1:]] == [[service, "yes"] for service in SERVICES]


def test_lag_has_a_row_for_every_service(co: Co) -> None:
    result = co("bus", "lag")
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()[1:]] == list(SERVICES)


def test_setting_up_the_bus_again_changes_nothing(co: Co) -> None:
    result = co("bus", "setup")
    assert (result.code, result.out) == (0, "Nothing to change.\n")


def test_dead_letters_are_listed_shown_and_retried(co: Co, root: Path) -> None:
    assert co("dead", "list").out == "No dead letters.\n"
    readable, unreadable = leave_dead_letter(root, "fees", revoked()), leave_dead_letter(root, "fees", b"{}")

    listed = co("dead", "list")
    assert listed.code == 1
    assert listed.out.count("event evt.session.revoked.v1") == 2
    assert "ValueError: [not] like that" in listed.out
    assert "No dead letters" in co("dead", "list", "--service", "registry").out

    shown = co("dead", "show", "fees", str(readable))
    assert shown.code == 0
    assert "Traceback" in shown.out
    assert '"session_id":' in shown.out

    retried = co("dead", "retry", "fees", "--everything")
    assert retried.code == 1
    assert f"fees {readable}: processed" in retried.out
    assert re.search(rf"fees {unreadable}: The dead letter failed again .*: ValidationError", retried.out)
    assert co("dead", "show", "fees", str(readable)).code == 2
    assert co("dead", "list").out.count("evt.session.revoked.v1") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("dead", "show", "fees", "999"),
            "co: dead_letter_not_found: There is no such dead letter: it may have been retried already.",
        ),
        (
            ("dead", "show", "nosuch", "1"),
            "co: There is no service nosuch; there are registry, certificates, fees, gateway, tracking, portal.",
        ),
        (("dead", "retry", "fees"), "co: Give the ids of dead letters, or --everything."),
        (("bus", "lag", "--country", "VN"), "co: The stack under {root} serves KH, not VN."),
        (("up",), "co: A stack already runs under {root}."),
    ],
)
def test_an_error_is_one_sentence(co: Co, root: Path, words: tuple[str, ...], sentence: str) -> None:
    result = co(*words)
    assert (result.code, result.error) == (2, sentence.format(root=root) + "\n")


def test_without_a_running_system_the_error_names_the_command_that_starts_it(co: Co, tmp_path: Path) -> None:
    result = co("health", on=tmp_path)
    assert (result.code, result.error) == (
        2,
        f"co: No stack runs under {tmp_path}: start one with `co up`, or give --nats-url and --seed-file.\n",
    )


def test_a_bus_is_given_by_its_address_and_a_seed(co: Co, root: Path) -> None:
    layout = Layout.of_running(root)
    seed = layout.secrets.seed("KH", "operator")
    assert co("health", "--nats-url", layout.nats_url, "--seed-file", str(seed), on=None).code == 0
    assert "Give both" in co("health", "--nats-url", layout.nats_url, on=None).error


def test_an_unreachable_or_refusing_bus_is_one_sentence(co: Co, root: Path) -> None:
    layout = Layout.of_running(root)
    seed = layout.secrets.seed("KH", "operator")
    unreachable = co("health", "--nats-url", "nats://127.0.0.1:1", "--seed-file", str(seed), on=None)
    assert unreachable.code == 2
    assert re.fullmatch(r"co: The bus at nats://127.0.0.1:1 cannot be used: .+\.\n", unreachable.error)

    stranger = root / "stranger.seed"
    stranger.write_bytes(nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_USER))
    refused = co("health", "--nats-url", layout.nats_url, "--seed-file", str(stranger), on=None)
    assert refused.code == 2
    assert "authorization" in refused.error.lower()


@pytest.mark.slow
async def test_a_bus_without_jetstream_is_one_sentence(tmp_path: Path) -> None:
    async with a_bus(tmp_path / "bus") as bus:
        for without in (r"jetstream: enabled", r"jetstream \{[^}]*\}"):  # for the account; at all
            await bus.start_with(lambda conf, without=without: re.sub(without, "", conf))
            program = (sys.executable, "-c", "from cli.main import app; app()")
            where = ("--nats-url", bus.url, "--seed-file", bus.seed_file("operator"))
            done = await asyncio.to_thread(subprocess.run, (*program, "bus", "setup", *where), capture_output=True, text=True)
            assert done.returncode == 2
            assert done.stderr == (
                f"co: The bus at {bus.url} cannot be used: it has no JetStream: it is not enabled on this bus; "
                "enable it in the configuration of nats-server, and for this account.\n"
            )


@pytest.mark.slow
async def test_over_tls_a_command_prints_no_warning_about_its_closed_connection(tmp_path: Path) -> None:
    async with a_bus(tmp_path / "bus") as bus:
        tls = Tls(bus.secrets.tls_certificate("localhost"), bus.secrets.tls_key("localhost"))
        await bus.start_with(lambda conf: tls.as_config() + conf)
        program = (
            "import atexit, logging; from cli.main import app;"
            "atexit.register(logging.getLogger('asyncio').warning, 'another warning');"
            "app()"
        )
        where = ("--nats-url", f"tls://127.0.0.1:{bus.port}", "--seed-file", bus.seed_file("operator"))
        words = ("bus", "setup", *where, "--ca-file", bus.secrets.ca_certificate)
        for _ in range(3):
            done = await asyncio.to_thread(
                subprocess.run, (sys.executable, "-c", program, *words), capture_output=True, text=True
            )
            assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing to change.\n", "another warning\n")


def test_secrets_are_created_once(co: Co, tmp_path: Path) -> None:
    first, second = co("secrets", "init", on=tmp_path), co("secrets", "init", on=tmp_path)
    assert "created " in first.out
    assert second.out == f"Nothing is missing in {tmp_path / 'secrets'}.\n"


def test_an_edition_of_the_nomenclature_is_loaded_once_and_searched(co: Co, tmp_path: Path) -> None:
    load = ("nomenclature", "load", str(NOMENCLATURE), "--name", "HS 2022", "--valid-from", "2022-01-01")
    assert co("nomenclature", "show").out == "No edition is loaded.\n"
    assert co("nomenclature", "show", "rice").code == 1

    assert "24 lines, valid from 2022-01-01" in co(*load).out
    assert "nothing has changed" in co(*load).out

    assert "HS 2022: 24 lines, valid from 2022-01-01" in co("nomenclature", "show").out
    assert co("nomenclature", "show", "paddy", "husk").out.startswith("100610      Cereals; rice in the husk")
    assert json.loads(co("nomenclature", "show", "6403", "--json").out)["found"]["edition"] == "HS 2022"
    assert co("nomenclature", "show", "spaceship").code == 1


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("code,text\n01,Animals\n", "has no column hscode, description"),
        ("hscode,description\n01,Animals\n01,Animals\n", "line 3: the code 01 is there twice"),
        ("hscode,description\n012,Animals\n", "line 2: code: the code must have 2, 4, 6 or 8 to 11 digits"),
        ("hscode,description\n01,\n", "line 2: description"),
        ("hscode,description\nTOTAL,All\n", "There are no lines"),
        ("hscode,description\n0101,Horses\n", "nomenclature_line_alone"),
    ],
)
def test_a_malformed_edition_is_refused_with_its_line(co: Co, tmp_path: Path, content: str, wrong: str) -> None:
    file = tmp_path / "edition.csv"
    file.write_text(content)

    result = co("nomenclature", "load", str(file), "--name", "HS 2099", "--valid-from", "2099-01-01")

    assert result.code == 2
    assert wrong in " ".join(result.error.split())


def test_rules_of_origin_are_loaded_once_and_shown(co: Co) -> None:
    file = Path(__file__).parents[1] / "certificates" / "origin" / "rules_ai.json"
    assert "Form D (ATIGA)" in co("rules", "show").out
    assert "No origin rules of Form AI" in co("rules", "show", "--form", "AI").error

    assert "Form AI, version test.1, is loaded: valid from 2020-01-01" in co("rules", "load", str(file)).out
    assert "nothing has changed" in co("rules", "load", str(file)).out

    shown = co("rules", "show", "--form", "AI", "--hs", "871200").out
    assert "in force, loaded" in shown
    assert "rule: RVC(35) + CTSH (general rule), the general rule" in shown
    assert "LoadOriginRules" in co("audit-trail", "show", "--service", "certificates").out


def test_a_key_for_an_authority_is_issued_listed_and_withdrawn(co: Co) -> None:
    issued = co("check-key", "issue", "Customs of Viet Nam", "--of", "VN")
    key_id, key = issued.out.split("id ")[1].split(";")[0], issued.out.strip().splitlines()[-1]

    assert key.startswith(f"co-check.{key_id.replace('-', '')}.")
    assert "Customs of Viet Nam" in co("check-key", "list").out
    assert key not in co("check-key", "list").out
    assert "is withdrawn" in co("check-key", "withdraw", key_id).out
    assert "check_key_not_found" in co("check-key", "withdraw", str(uuid4())).error
    assert co("check-key", "issue", "x", "--of", "Viet Nam").code == 2
    assert f"{key_id}" in co("audit-trail", "show", "--on", key_id).out
