"""`python -m services.portal`"""

from services.portal.handlers import router
from services.portal.routes import routes
from services.portal.settings import PortalSettings, tools
from services.portal.tables import TABLES
from shared.runtime.main import run
from shared.runtime.service import Service

run(Service(name="portal", router=router, tables=TABLES, settings=PortalSettings, tools=tools, routes=routes))
