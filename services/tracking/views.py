"""What the public sees of the stored rows: the same for JSON and for pages."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from services.tracking.answers import (
    Bilingual,
    CancellationShown,
    CertificateShown,
    CodeShown,
    CodesShown,
    Contact,
    OutageShown,
    ReasonShown,
    StepShown,
    TransmissionShown,
    UnusualPart,
)
from services.tracking.data_files import DataFiles
from services.tracking.references import FIRST_YEAR, Unusual
from services.tracking.store import Tracked, TrackedCancellation, TrackedCertificate, TrackedStep
from shared.contracts.gateway.transmissions import MAX_REASONS, StatusCode


def certificate_view(tracked: Tracked, data: DataFiles, out_since: datetime | None = None) -> CertificateShown:
    """The public data of a certificate. `out_since`: since when its destination is out."""
    certificate, steps = tracked.certificate, tracked.steps
    shown = tuple(step_view(step, data) for step in steps)
    last = data.codes[shown[-1].code] if shown else None
    if tracked.cancellation:
        last = data.codes[StatusCode.CAN]
    issued = data.stages["issued"].next if certificate.form in data.forms.exchanged else data.forms.on_paper
    assert issued is not None
    outage = None
    if out_since is not None and not tracked.cancellation and (not shown or shown[-1].code is StatusCode.AS1):
        outage = OutageShown(out_since=out_since, meaning=data.exchange.waits.meaning)
    next_step = last.next if last else issued
    return CertificateShown(
        reference=certificate.reference,
        form=certificate.form,
        destination=certificate.destination,
        issued_on=certificate.issued_on.isoformat(),
        valid_until=certificate.valid_until.isoformat(),
        codes=tuple(step.code for step in shown),
        status=shown[-1].code if shown else None,
        steps=shown,
        transmissions=tuple(
            TransmissionShown(number=number, status=of_one[-1].code, steps=of_one)
            for number, of_one in ((number, tuple(some)) for number, some in groupby(shown, lambda step: step.number))
        ),
        next_step=data.exchange.waits.next if outage else next_step,
        contact=_contact(last.call if last else "office", certificate, data),
        cancelled=_cancellation(tracked.cancellation, data) if tracked.cancellation else None,
        outage=outage,
    )


def _cancellation(cancelled: TrackedCancellation, data: DataFiles) -> CancellationShown:
    reason = ReasonShown(code=cancelled.reason, **data.reason(cancelled.reason).model_dump())
    return CancellationShown(at=cancelled.cancelled_at, reason=reason, replaced_by=cancelled.replaced_by)


def step_view(step: TrackedStep, data: DataFiles) -> StepShown:
    """The public data of a step. Values that were stored before the limits existed are cut."""
    code = StatusCode(step.code)
    return StepShown(
        number=step.number,
        code=code,
        at=step.at,
        country=step.country,
        meaning=data.codes[code].meaning,
        next=data.codes[code].next,
        reasons=tuple(ReasonShown(code=slug, **data.reason(slug).model_dump()) for slug in step.reasons[:MAX_REASONS]),
    )


def _contact(call: str | None, certificate: TrackedCertificate, data: DataFiles) -> Contact | None:
    """Whom to call about a certificate, by its office or its destination."""
    if call == "office":
        code = certificate.reference.split("-")[1]
        office = data.offices.get(code)
        return Contact(
            kind="office",
            code=code,
            name=data.office(code),
            telephone=office.telephone if office else None,
            email=office.email if office else None,
        )
    if call == "customs":
        code, name = certificate.destination, data.country(certificate.destination)
        customs = data.customs.get(code)
        return Contact(
            kind="customs",
            code=code,
            name=Bilingual(en=f"Customs of {name.en}", km=f"គយនៃ{name.km}"),
            telephone=customs.telephone if customs else None,
            website=customs.website if customs else None,
        )
    return None


def unusual_view(parts: Sequence[Unusual], data: DataFiles) -> tuple[UnusualPart, ...]:
    """The parts of a reference to check, as sentences."""
    return tuple(_unusual(part, data.unusual[part.part]) for part in parts)


def _unusual(part: Unusual, sentence: Bilingual) -> UnusualPart:
    values = {"value": part.value, "first_year": FIRST_YEAR}
    return UnusualPart(part=part.part, value=part.value, en=sentence.en.format(**values), km=sentence.km.format(**values))


def codes_view(data: DataFiles) -> CodesShown:
    """The meanings of all codes."""
    return CodesShown(
        codes=tuple(
            CodeShown(code=code, name=row.name, meaning=row.meaning, next=row.next, ours=row.ours)
            for code, row in data.codes.items()
        )
    )
