"""The smallest service that hears an event, has one effect and announces one event: `python -m bench.event_service`.

It takes the place of fees on the bus, with contracts of fees, because the bus permits only these.
"""

from sqlalchemy import Column, Integer, MetaData, Table, Uuid

from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.contracts.certificates.withdrawing import CertificateClosed
from shared.contracts.fees import FeeSettled
from shared.contracts.messages import Event
from shared.contracts.registry.registrations import RegistrationApproved
from shared.handling.router import Router
from shared.handling.work import Work
from shared.runtime.main import run
from shared.runtime.service import Service

NAME = "fees"
TABLES = MetaData()
effects = Table(
    "bench_effects",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("submission", Integer, primary_key=True, autoincrement=False),
)

router = Router()


@router.on(CertificateSubmitted)
async def settle_on_certificate_submitted(event: CertificateSubmitted, work: Work) -> None:
    """Keeps one row and announces one event."""
    await work.insert_new(effects, [{"certificate_id": event.certificate_id, "submission": event.submission}])
    settled = FeeSettled(certificate_id=event.certificate_id, submission=event.submission, version=1, occurred_at=work.now)
    work.announce(settled)


async def ignore(event: Event, work: Work) -> None:
    """Events that fees may hear and this service does not need."""


router.on(CertificateClosed)(ignore)
router.on(RegistrationApproved)(ignore)


if __name__ == "__main__":
    run(Service(name=NAME, router=router, tables=TABLES))
