"""`python -m services.gateway`"""

from services.gateway.handlers import router
from services.gateway.metadata import TABLES
from services.gateway.receiving import routes
from services.gateway.settings import GatewaySettings, tools
from services.gateway.wire.client_certificates import PartnerServer
from shared.runtime.main import run
from shared.runtime.service import Service

run(
    Service(
        name="gateway", router=router, tables=TABLES, settings=GatewaySettings, tools=tools, routes=routes, server=PartnerServer
    )
)
