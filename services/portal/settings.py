"""The settings of the portal, and the objects that its pages use."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from services.portal.bus import Bus, connect_as_portal
from services.portal.live import Changes
from shared.settings import Settings
from shared.web.site import Site

PREFIX = "/portal"
"""The beginning of every address of the portal. The public site has the others."""


class PortalSettings(Settings):
    """The portal holds no key of its own: the cookie of a browser encrypts what is stored for it."""

    public_address: str = ""
    """The address of the public site, without a slash at the end. Empty: the same site."""
    secure_cookies: bool = True
    """Whether browsers send the cookie over TLS only. False only where the portal runs without TLS on this machine."""


def tools(settings: PortalSettings) -> Iterable[object]:
    """The objects that pages get with `use`."""
    yield settings
    yield Bus(partial(connect_as_portal, settings))
    yield Changes()
    yield Site(Path(__file__).parent, settings.zone, prefix=PREFIX, links={"public": settings.public_address})
