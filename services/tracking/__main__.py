"""`python -m services.tracking`"""

from services.tracking.handlers import router
from services.tracking.metadata import TABLES
from services.tracking.routes import routes
from services.tracking.settings import TrackingSettings, tools
from shared.runtime.main import run
from shared.runtime.service import Service

run(Service(name="tracking", router=router, tables=TABLES, settings=TrackingSettings, tools=tools, routes=routes))
