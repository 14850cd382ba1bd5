"""`python -m services.notices`"""

from services.notices.handlers import router
from services.notices.store import TABLES
from shared.runtime.main import run
from shared.runtime.service import Service

run(Service(name="notices", router=router, tables=TABLES))
