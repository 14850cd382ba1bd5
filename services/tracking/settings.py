"""The settings of tracking, and the objects that its pages use."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, FilePath, ValidationError

from services.tracking.certificate_pages import CertificatePages
from services.tracking.data_files import DataFiles
from services.tracking.figures import Figures
from services.tracking.limits import MAX_STREAMS, Limits
from services.tracking.live import Watching
from services.tracking.look_ups import LookUps
from services.tracking.verifying import Uploads
from shared.settings import Settings, SettingsWrong
from shared.web.site import Site

HTTPS = r"^(https?://[^\s\"'<>]{1,200})?$"


class TrackingSettings(Settings):
    """The public site. Behind a proxy FORWARDED_ALLOW_IPS must name the proxy, or all visitors share one limit."""

    http_connections: int = Field(default=MAX_STREAMS + 200, ge=10, le=10_000)
    """Each live page has one open connection."""
    contacts_file: FilePath | None = None
    """The telephone numbers and addresses of the offices: a copy of `services/tracking/data/contacts.json`."""
    telegram_url: str = Field(default="", pattern=HTTPS)
    """The address of the ministry's Telegram channel; empty: no link."""
    portal_address: str = Field(default="", pattern=HTTPS)
    """The address of the portal's site, without a slash at the end. Empty: the same site."""


def tools(settings: TrackingSettings) -> Iterable[object]:
    """The objects that pages get with `use`."""
    try:
        data = DataFiles(settings.contacts_file)
    except ValidationError as error:
        raise SettingsWrong.because(f"CO_CONTACTS_FILE ({_fault(error)})") from None
    yield data
    yield Limits()
    yield Uploads()
    yield Watching()
    yield Figures(data)
    yield LookUps()
    yield CertificatePages(data)
    yield Site(
        Path(__file__).parent, settings.zone, links={"telegram": settings.telegram_url, "portal": settings.portal_address}
    )


def _fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
