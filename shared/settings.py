"""The settings of a service: environment variables `CO_...`. A secret is always the path of a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, FilePath, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

DRIVERS = ("postgresql+asyncpg", "sqlite")


class SettingsWrong(Exception):
    """Settings are missing or wrong. The message names the environment variables."""

    @classmethod
    def because(cls, *wrong: str) -> Self:
        """`wrong`: for each variable its name and, in brackets, the reason."""
        return cls(f"These settings are missing or wrong: {', '.join(wrong)}.")


class DatabaseSettings(BaseSettings):
    """The settings of a service's database: a migration needs no others."""

    model_config = SettingsConfigDict(env_prefix="CO_", frozen=True)

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "KH"
    """The country this instance serves; also the audience of its tokens."""
    database_url: str
    """`postgresql+asyncpg://user@host/name` or `sqlite:///path`."""
    database_password_file: FilePath | None = None
    log_level: str = "INFO"

    @property
    def database(self) -> URL:
        """The address of the database with its password. Never log it."""
        url = make_url(self.database_url)
        if self.database_password_file is None:
            return url
        return url.set(password=self.database_password_file.read_text().strip())


class Settings(DatabaseSettings):
    """The settings that every service has. A service with settings of its own extends this class."""

    zone: ZoneInfo = ZoneInfo("Asia/Phnom_Penh")
    """The time zone of legal dates."""

    nats_url: str = "nats://127.0.0.1:4222"
    """The address of the bus, or a comma-separated list of the addresses of a cluster."""
    nats_seed_file: FilePath
    """The nkey seed of this service's user on the bus. It also signs the events that this service announces."""
    event_keys_file: FilePath
    """The public keys that verify the events of every service. `co secrets` makes this file."""
    nats_ca_file: FilePath | None = None

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=1, le=65535)
    http_connections: int = Field(default=200, ge=10, le=10_000)
    """Maximum open HTTP connections of a replica."""
    tls_certificate_file: FilePath | None = None
    tls_key_file: FilePath | None = None
    trusted_proxies: str = Field(default="", validation_alias="FORWARDED_ALLOW_IPS")
    """The reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are true: addresses, networks or `*`. Empty: none."""

    spans_dir: Path | None = None
    """The folder for spans as lines of JSON, without an OpenTelemetry collector."""


Kind = TypeVar("Kind", bound=DatabaseSettings)


def read(kind: type[Kind]) -> Kind:
    """Reads the settings from the environment and checks that every file can be read. Raises SettingsWrong."""
    try:
        settings = kind()
    except ValidationError as error:
        wrong = [f"{_variable(*each['loc'])} ({each['msg']})" for each in error.errors(include_input=False)]
        raise SettingsWrong.because(*wrong) from None
    except OSError as error:  # raised by the check that a file exists
        raise SettingsWrong.because(f"a file ({error.filename}: {error.strerror})") from None
    if wrong := list(_wrong(settings)):
        raise SettingsWrong.because(*wrong)
    return settings


def _variable(*name: int | str) -> str:
    return f"CO_{'_'.join(map(str, name)).upper()}"


def _wrong(settings: DatabaseSettings) -> Iterator[str]:
    for name, value in settings:
        if name.endswith("_file") and isinstance(value, Path):
            try:
                with value.open("rb") as file:
                    file.read(1)
            except OSError as error:
                yield f"{_variable(name)} ({value} cannot be read: {error.strerror})"
    try:
        if settings.database.drivername not in DRIVERS:
            yield f"{_variable('database_url')} (it must begin with {' or '.join(DRIVERS)})"
    except ArgumentError:
        yield f"{_variable('database_url')} (it is not the address of a database)"
    except UnicodeDecodeError:
        yield f"{_variable('database_password_file')} (it contains no text)"
    except OSError:
        pass  # reported above
