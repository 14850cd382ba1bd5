"""Every address of the portal."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from services.portal import live
from services.portal.pages import (
    certificate,
    certificate_acts,
    certificates,
    filing,
    filing_goods,
    filing_import,
    filing_review,
    home,
    signing_in,
    styleguide,
)
from services.portal.settings import PREFIX
from shared.web.site import routes_below

routes: Sequence[BaseRoute] = (
    *routes_below(PREFIX),
    *live.routes,
    *home.routes,
    *signing_in.routes,
    *styleguide.routes,
    *certificates.routes,
    *certificate.routes,
    *certificate_acts.routes,
    *filing.routes,
    *filing_goods.routes,
    *filing_review.routes,
    *filing_import.routes,
)
