"""`python -m services.fees`"""

from services.fees.handlers import router
from services.fees.store import TABLES
from services.fees.tariffs import equip
from shared.runtime.service import Service
from shared.runtime.main import run

run(Service("fees", router, TABLES, equip=equip))
