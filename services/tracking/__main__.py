"""`python -m services.tracking`"""

from services.tracking.handlers import router
from services.tracking.pages import tools
from services.tracking.searching import routes
from services.tracking.store import TABLES
from shared.runtime.main import run
from shared.runtime.service import Service

run(Service(name="tracking", router=router, tables=TABLES, tools=tools, routes=routes))
