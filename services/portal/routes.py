"""Every address of the portal."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from services.portal import live
from services.portal.pages import confirming, deciding, home, queue, signing_in, styleguide
from services.portal.settings import PREFIX
from shared.web.site import routes_below

routes: Sequence[BaseRoute] = (
    *routes_below(PREFIX),
    *live.routes,
    *home.routes,
    *signing_in.routes,
    *queue.routes,
    *deciding.routes,
    *confirming.routes,
    *styleguide.routes,
)
