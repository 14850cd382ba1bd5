"""Runs the system of docker-compose.yml with testcontainers, and controls its containers."""

import asyncio
import os
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, run
from sys import executable

import docker
import httpx
from docker.models.containers import Container
from prometheus_client.parser import text_string_to_metric_families
from testcontainers.compose import DockerCompose

from cli.commands.backup import DatabaseTarget
from cli.target import Where
from deploy.compose.files import ComposeFiles
from deploy.embedded.layout import HOME
from shared.contracts.index import SERVICES
from tests.conftest import eventually
from tests.support.ports import free_ports

HERE = Path(__file__).parents[2]
PARTNER = "VN"
BECOMES_READY_WITHIN = 90.0
PORTS = {
    "nats": "CO_NATS_PORT",
    "nats-2": "CO_NATS_2_PORT",
    "nats-3": "CO_NATS_3_PORT",
    "proxy": "CO_HTTPS_PORT",
    "partners": "CO_PARTNERS_PORT",
}


class Replica:
    """One container of a service."""

    def __init__(self, container: Container, ca_file: Path) -> None:
        self.container = container
        self.service: str = container.labels["com.docker.compose.service"]
        self._ca_file = ca_file

    @property
    def address(self) -> str:
        """The address of its HTTP server, from this machine."""
        self.container.reload()
        networks = self.container.attrs["NetworkSettings"]["Networks"]
        ip = next(network["IPAddress"] for name, network in networks.items() if name.endswith("_bus"))
        return f"{'https' if self.service.startswith('gateway') else 'http'}://{ip}:8000"

    async def get(self, path: str) -> httpx.Response:
        """GET from its HTTP server. Raises httpx.HTTPError."""
        tls = ssl.create_default_context(cafile=self._ca_file)
        async with httpx.AsyncClient(verify=tls, timeout=5) as http:
            return await http.get(f"{self.address}{path}", extensions={"sni_hostname": "localhost"})

    async def is_ready(self) -> bool:
        """Whether `/ready` answers with 200."""
        try:
            return (await self.get("/ready")).status_code == httpx.codes.OK
        except (httpx.HTTPError, StopIteration):
            return False

    async def becomes_ready(self) -> None:
        """Waits until it is ready."""
        await eventually(self.is_ready, within=BECOMES_READY_WITHIN)

    async def problems(self) -> list[str]:
        """The problems that `/ready` reports."""
        return list((await self.get("/ready")).json()["problems"])

    async def metric(self, name: str) -> float:
        """The sum of a counter over its labels, without the requests of operators."""
        families = text_string_to_metric_families((await self.get("/metrics")).text)
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return sum(sample.value for sample in samples if not sample.labels.get("request", "").startswith(("Ask", "List")))

    async def restart(self) -> None:
        """Stops it in order, starts it again and waits until it is ready."""
        await asyncio.to_thread(self.container.restart, timeout=40)
        await self.becomes_ready()


class Composed:
    """One run of docker-compose.yml, with its own secrets, ports and volumes. It is removed at the end of the block."""

    services = SERVICES

    def __init__(
        self, folder: Path, project: str, *overrides: str, replicas: dict[str, int] | None = None, **settings: str
    ) -> None:
        self.project = project
        self.files = ComposeFiles(folder / "compose", HOME, PARTNER)
        self.ca_file = self.files.secrets.ca_certificate
        self.mail_dir = self.files.mail
        self._replicas = replicas or {}
        self._ports = free_ports(PORTS)
        ports = {variable: str(self._ports[name]) for name, variable in PORTS.items()}
        settings |= {"COMPOSE_PROJECT_NAME": project, "CO_FILES": str(folder / "compose")} | ports
        self._env_file = folder / "compose.env"
        self._env_file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self._compose = DockerCompose(HERE, ["docker-compose.yml", *overrides], env_file=str(self._env_file))
        self._engine = docker.from_env()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Composed"]:
        """Removes what a killed run left, starts all containers and waits until they are healthy."""
        self.files.make()
        await self.compose("down", "--volumes", "--timeout", "30")
        scale = [word for name, count in self._replicas.items() for word in ("--scale", f"{name}={count}")]
        try:
            await self.compose("up", "--wait", "--wait-timeout", "240", *scale)
            yield self
        finally:
            await self.compose("down", "--volumes", "--timeout", "30")

    async def compose(self, *words: str) -> str:
        """Runs `docker compose ...` and returns its output. Raises RuntimeError with its error and the logs."""
        command = [*self._compose.docker_compose_command(), *words]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("CO_FILES", "COMPOSE_"))}
        run_it = partial(run, cwd=HERE, capture_output=True, text=True, stdin=DEVNULL, env=environment)
        done = await asyncio.to_thread(run_it, command)
        if done.returncode:
            logs = await asyncio.to_thread(run_it, [*self._compose.docker_compose_command(), "logs", "--tail", "15"])
            raise RuntimeError(f"{' '.join(words)}: {done.stderr[-1500:]}\n{logs.stdout[-6000:]}")
        return str(done.stdout)

    def replicas(self, *services: str) -> list[Replica]:
        """The replicas of these services, by default of all, sorted by name."""
        found = [
            Replica(container, self.ca_file)
            for name in (services or (*SERVICES, "gateway-abroad"))
            for container in self._engine.containers.list(
                filters={"label": [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={name}"]}
            )
        ]
        return sorted(found, key=lambda replica: str(replica.container.name))

    def container(self, service: str) -> Container:
        """The only container of a service, also while it is stopped."""
        labels = [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}"]
        (found,) = self._engine.containers.list(all=True, filters={"label": labels})
        return found

    async def all_ready(self) -> None:
        """Waits until every replica is ready."""
        await asyncio.gather(*(replica.becomes_ready() for replica in self.replicas()))

    @contextmanager
    def without_network(self, replica: Replica) -> Iterator[None]:
        """Disconnects a replica from every network for this block."""
        names = list(replica.container.attrs["NetworkSettings"]["Networks"])
        networks = [self._engine.networks.get(name) for name in names]
        for network in networks:
            network.disconnect(replica.container)
        try:
            yield
        finally:
            for network in networks:
                network.connect(replica.container, aliases=[replica.service])

    def remove_volume(self, volume: str) -> None:
        """Deletes a volume that no container uses."""
        self._engine.volumes.get(f"{self.project}_{volume}").remove()

    @property
    def nats_url(self) -> str:
        """The address of the bus, from this machine."""
        servers = ("nats", "nats-2", "nats-3") if "nats-3" in self._env_file.read_text() else ("nats",)
        return ",".join(f"tls://localhost:{self._ports[name]}" for name in servers)

    def seed(self, user: str, country: str | None = None) -> str:
        """The seed of a user of the bus."""
        return self.files.secrets.seed(country or HOME, user).read_text()

    def address(self, service: str, country: str | None = None) -> str:
        """The public address, which is the proxy's."""
        return f"https://localhost:{self._ports['proxy']}"

    @property
    def administrator_password(self) -> str:
        """The password of the ministry's first administrator."""
        return self.files.secrets.administrator_password.read_text()

    def database(self, service: str) -> DatabaseTarget:
        """The database of a service, for backup commands on this machine. Its port is not published."""
        (network,) = self.container(f"{service}-db").attrs["NetworkSettings"]["Networks"].values()
        address = f"postgresql+asyncpg://postgres@{network['IPAddress']}/{service}?ssl=require"
        password = self.files.secrets.database_password(f"{service}-db", "owner")
        return DatabaseTarget(database_url=address, database_password_file=password)

    def where(self, country: str = HOME) -> Where:
        """The system, for commands of the operator."""
        services = SERVICES if country == HOME else ("gateway",)
        seed_file = self.files.secrets.seed(country, "operator")
        return Where(nats_url=self.nats_url, seed_file=seed_file, ca_file=self.ca_file, services=services)


def compose_plugin(folder: Path) -> None:
    """Makes `docker compose` available: if docker has no compose plugin, installs the program of the lock file as one."""
    if run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return
    plugins = folder / "cli-plugins"
    plugins.mkdir()
    if (config := Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker")) / "config.json").exists():
        shutil.copy(config, folder)
    (plugins / "docker-compose").symlink_to(Path(executable).with_name("docker-compose"))
    os.environ["DOCKER_CONFIG"] = str(folder)


def image_of(service: str) -> str:
    """The image of a service or of the command line."""
    return f"{os.environ.get('CO_IMAGES', 'co')}/{service}"


def base_image(name: str, default: str) -> str:
    """A public base image, or its replacement from the environment."""
    return os.environ.get(f"{name}_IMAGE", default)
