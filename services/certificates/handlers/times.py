"""How long certificates stay in each status."""

from services.certificates.store.status_times import times_of
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.certificates.times import ListStatusTimes, StatusTime, StatusTimes
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ListStatusTimes)
async def list_status_times(question: ListStatusTimes, work: Work) -> StatusTimes:
    """How long do certificates stay in each status?"""
    return StatusTimes(
        times=tuple(
            StatusTime(
                status=CertificateStatus(each.status),
                destination=each.destination,
                count=each.count,
                median_seconds=each.median_seconds,
            )
            for each in await times_of(work, question.office)
        )
    )
