"""`python -m services.certificates`"""

from services.certificates.catalogue import equip
from services.certificates.handlers import router
from services.certificates.store import TABLES
from shared.runtime.service import Service
from shared.runtime.main import run

run(Service("certificates", router, TABLES, equip=equip))
