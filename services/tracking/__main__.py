"""`python -m services.tracking`"""

from services.tracking.handlers import router
from services.tracking.pages import equip
from services.tracking.searching import routes
from services.tracking.store import TABLES
from shared.runtime.service import Service
from shared.runtime.main import run
from shared.settings import Settings

run(Service("tracking", router, TABLES, Settings, equip, routes))
