"""`python -m services.registry`"""

from services.registry.handlers import router
from services.registry.settings import RegistrySettings, equip
from services.registry.store.tables import TABLES
from shared.runtime.service import Service
from shared.runtime.main import run

run(Service("registry", router, TABLES, RegistrySettings, equip))
