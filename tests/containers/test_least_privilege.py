"""The content, rights and connections of a container are minimal."""

import json
import ssl

import asyncpg
import docker
import pytest
from docker.errors import ContainerError

from shared.contracts.index import SERVICES
from tests.containers.composed import Composed, image_of


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_contains_one_service_and_no_tools(engine: docker.DockerClient, images: None, service: str) -> None:
    others = [other for other in SERVICES if other != service]
    script = (
        "import importlib.util as u, os, shutil, sys;"
        f"found = [s for s in {others} if u.find_spec('services.' + s)];"
        "tools = [t for t in ('gcc', 'cc', 'make', 'pip', 'git') if shutil.which(t)];"
        f"own = u.find_spec('services.{service}') is not None;"
        "print(found, tools, own, os.getuid(), [d for d in ('tests', 'cli', 'deploy') if os.path.exists(d)])"
    )
    output = engine.containers.run(image_of(service), entrypoint="python", command=["-c", script], remove=True, read_only=True)
    assert output.decode().strip() == "[] [] True 10001 []"
    labels = engine.images.get(image_of(service)).labels
    assert labels["org.opencontainers.image.title"] == f"co-{service}"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_a_service_cannot_import_another(engine: docker.DockerClient, images: None) -> None:
    with pytest.raises(ContainerError, match="No module named"):
        engine.containers.run(image_of("fees"), entrypoint="python", command=["-c", "import services.registry"], remove=True)


async def test_every_container_has_minimal_rights(composed: Composed) -> None:
    for replica in composed.replicas():
        attributes = replica.container.attrs
        host = attributes["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"], host["Privileged"]) == (True, ["ALL"], False)
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert 0 < host["Memory"] <= 512 * 2**20
        assert host["NanoCpus"] > 0
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert not host["PortBindings"]
        for secret in ("password=", "SU", "PRIVATE KEY", composed.administrator_password):
            assert secret not in json.dumps(attributes["Config"]["Env"]), secret
        code, output = replica.container.exec_run(["sh", "-c", "touch /app/x"])
        assert code != 0
        assert "Read-only file system" in output.decode()


async def test_a_service_may_change_rows_but_not_the_schema(composed: Composed) -> None:
    await composed.all_ready()
    for service in SERVICES:
        as_service = await _connection(composed, service, service, "service")
        assert await as_service.fetchval("SELECT count(*) FROM outbox") >= 0
        for forbidden in (
            "CREATE TABLE mine (a int)",
            "ALTER TABLE outbox ADD COLUMN mine int",
            "DROP TABLE inbox",
            "TRUNCATE outbox",
            "CREATE SCHEMA mine",
            "CREATE TEMP TABLE mine (a int)",
            "CREATE ROLE mine",
            "COPY outbox TO '/tmp/mine'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await as_service.execute(forbidden)
        await as_service.close()


async def test_a_database_refuses_connections_without_tls_or_with_another_roles_password(composed: Composed) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await _connection(composed, "fees", "fees", "service", encrypted=False)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await _connection(composed, "fees", "fees", "migrator")


async def test_a_service_cannot_reach_the_database_of_another(composed: Composed) -> None:
    (replica, *_) = composed.replicas("fees")
    reach = "import socket, sys; socket.create_connection((sys.argv[1], 5432), 3)"
    assert replica.container.exec_run(["python", "-c", reach, "fees-db"]).exit_code == 0
    for other in ("registry-db", "certificates-db", "gateway-abroad-db"):
        code, output = replica.container.exec_run(["python", "-c", reach, other])
        assert code != 0
        assert "resolution" in output.decode() or "not known" in output.decode()


async def _connection(composed: Composed, service: str, user: str, role: str, *, encrypted: bool = True) -> asyncpg.Connection:
    networks = composed.container(f"{service}-db").attrs["NetworkSettings"]["Networks"]
    (network,) = networks.values()
    tls = ssl.create_default_context(cafile=str(composed.ca_file))
    tls.check_hostname = False
    return await asyncpg.connect(
        host=network["IPAddress"],
        user=user,
        database=service,
        password=composed.files.secrets.database_password(f"{service}-db", role).read_text(),
        ssl=tls if encrypted else False,
    )
