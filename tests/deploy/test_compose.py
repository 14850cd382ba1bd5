"""The settings and files of the containers in docker-compose.yml, as parsed by docker-compose, without an engine."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.compose.files import IN_CONTAINER, ComposeFiles

ROOT = Path(__file__).parents[2]


@pytest.fixture
def files(tmp_path: Path) -> ComposeFiles:
    files = ComposeFiles(tmp_path / "compose", "KH", "VN")
    files.make()
    return files


def composed(files: ComposeFiles, **environment: str) -> dict[str, Any]:
    """The containers, with these environment variables."""
    done = subprocess.run(
        [Path(sys.executable).with_name("docker-compose"), "--profile", "*", "config", "--format", "json"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CO_FILES": str(files.handed.parent)} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["services"]  # type: ignore[no-any-return]


def files_in_settings(container: dict[str, Any]) -> Iterator[Path]:
    """The files of its folder in the settings of a container."""
    for value in (container.get("environment") or {}).values():
        if value and Path(value).is_relative_to(IN_CONTAINER):
            yield Path(value).relative_to(IN_CONTAINER)


def test_every_file_in_the_settings_of_a_container_is_mounted(files: ComposeFiles) -> None:
    containers = composed(files)
    assert Path("smtp.password") in files_in_settings(containers["registry"])
    for name, container in containers.items():
        folders = [Path(mount["source"]) for mount in container.get("volumes", ()) if mount["target"] == str(IN_CONTAINER)]
        for file in files_in_settings(container):
            assert [(folder / file).exists() for folder in folders] == [True], (name, file)


def test_a_mail_server_is_configured_by_the_environment_and_its_password_by_a_file(files: ComposeFiles) -> None:
    assert composed(files)["registry"]["environment"]["CO_SMTP_URL"] == ""
    assert (files.handed / "registry" / "smtp.password").read_text() == ""

    files.secrets.smtp_password.write_text("given by the ministry\n")
    assert files.make() == []

    named = {"CO_SMTP_URL": "smtps://registry%40ministry.example@mail.example:465", "CO_MAIL_FROM": "co@ministry.example"}
    containers = composed(files, **named)
    assert containers["registry"]["environment"].items() >= named.items()
    assert [path.parent.name for path in files.handed.rglob("smtp.password")] == ["registry"]
    assert (files.handed / "registry" / "smtp.password").read_text() == "given by the ministry\n"
    assert "given by the ministry" not in json.dumps(containers)


def test_the_password_of_the_mail_server_is_readable_by_its_owner_only(files: ComposeFiles) -> None:
    assert files.secrets.smtp_password.stat().st_mode & 0o777 == 0o600


def test_container_logs_are_limited(files: ComposeFiles) -> None:
    for name, container in composed(files).items():
        options = container["logging"]["options"]
        assert (container["logging"]["driver"], set(options)) == ("json-file", {"max-size", "max-file"}), name


def test_the_bodies_that_nginx_accepts_at_once_fit_into_its_tmpfs(files: ComposeFiles) -> None:
    proxy = composed(files)["proxy"]
    conf = (ROOT / "deploy" / "compose" / "nginx.conf").read_text()
    places = re.findall(r"limit_conn uploads_in_all (\d+);\s+client_max_body_size (\d+)m;", conf)
    (at_once,) = {number for number, _ in places}  # one zone counts them all
    body = max(int(size) for _, size in places)
    (size,) = re.findall(r"size=(\d+)m", " ".join(proxy["tmpfs"]))
    memory = int(proxy["deploy"]["resources"]["limits"]["memory"]) // 2**20

    assert int(at_once) * body <= int(size) - 8
    assert "proxy_request_buffering off;" in conf.partition("location /asw/ {")[2].partition("}")[0]
    assert int(size) <= memory - 128
