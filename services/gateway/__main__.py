"""`python -m services.gateway`"""

from services.gateway.handlers import router
from services.gateway.receiving import routes
from services.gateway.settings import GatewaySettings, equip
from services.gateway.store import TABLES
from shared.runtime.service import Service
from shared.runtime.main import run

run(Service("gateway", router, TABLES, GatewaySettings, equip, routes))
