"""`python -m services.fees`"""

from services.fees.handlers import router
from services.fees.store import TABLES
from services.fees.tariffs import equip
from shared.service import Service, run

run(Service("fees", router, TABLES, equip=equip))
