"""What a service is told from outside: `CO_...` variables, secrets always as paths of files."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url


class Settings(BaseSettings):
    """The settings every service has. A service with more of its own extends this class."""

    model_config = SettingsConfigDict(env_prefix="CO_", frozen=True)

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "KH"
    """The country this instance serves; also the audience of its tokens."""
    zone: ZoneInfo = ZoneInfo("Asia/Phnom_Penh")
    """Where legal dates are counted."""

    database_url: str
    """`postgresql+asyncpg://user@host/name` or `sqlite+aiosqlite:///path`."""
    database_password_file: Path | None = None
    migrate_on_start: bool = False
    """Only where the service itself may change the schema: the embedded run."""

    nats_url: str = "nats://127.0.0.1:4222"
    nats_seed_file: Path
    """The nkey seed of this service's own user on the bus."""
    nats_ca_file: Path | None = None

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=1, le=65535)
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None

    spans_dir: Path | None = None
    """Where spans are kept as lines of JSON when no collector is at hand."""
    log_level: str = "INFO"

    @property
    def database(self) -> URL:
        """The address of the database with its password, never to be logged."""
        url = make_url(self.database_url)
        if self.database_password_file is None:
            return url
        return url.set(password=self.database_password_file.read_text().strip())
