"""`python -m services.fees`"""

from services.fees.handlers import router
from services.fees.store import TABLES
from services.fees.tariffs import tools
from shared.runtime.main import run
from shared.runtime.service import Service

run(Service(name="fees", router=router, tables=TABLES, tools=tools))
