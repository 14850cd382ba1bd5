"""`python -m services.registry`"""

from services.registry.handlers import router
from services.registry.settings import RegistrySettings, tools
from services.registry.tables import TABLES
from shared.runtime.main import run
from shared.runtime.service import Service

run(Service(name="registry", router=router, tables=TABLES, settings=RegistrySettings, tools=tools))
