"""`python -m services.certificates`"""

from services.certificates.handlers import router
from services.certificates.metadata import TABLES
from services.certificates.publishing import routes
from services.certificates.settings import CertificatesSettings, tools
from shared.runtime.main import run
from shared.runtime.service import Service

run(Service(name="certificates", router=router, tables=TABLES, settings=CertificatesSettings, tools=tools, routes=routes))
