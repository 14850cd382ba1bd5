"""Every address of the portal."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from services.portal import live
from services.portal.pages import (
    account,
    api_keys,
    applying,
    colleagues,
    company,
    company_documents,
    home,
    mandates,
    passkeys,
    payments,
    products,
    second_factor,
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
    *applying.routes,
    *company.routes,
    *company_documents.routes,
    *colleagues.routes,
    *api_keys.routes,
    *mandates.routes,
    *products.routes,
    *payments.routes,
    *account.routes,
    *second_factor.routes,
    *passkeys.routes,
    *styleguide.routes,
)
