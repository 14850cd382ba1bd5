"""Maps certified exporters to answers and events. Views do not query."""

from collections.abc import Sequence

from services.certificates.domain.certified import CertifiedExporter
from services.certificates.store.certified import KeptAct
from shared.contracts.certificates.self_certification import (
    CertifiedAct,
    CertifiedExporterChanged,
    CertifiedExporterState,
    CertifiedProduct,
    CertifiedSignatory,
    DatedDigest,
    DatedGoods,
    Period,
    digest_of_name,
)
from shared.handling.work import Work

SUBHEADING = 6


def certified_state(certified: CertifiedExporter, name: str, acts: Sequence[KeptAct] = ()) -> CertifiedExporterState:
    """A certified exporter as officers and its company see it."""
    return CertifiedExporterState(
        exporter_id=certified.exporter_id,
        name=name,
        code=certified.code,
        status=certified.status,
        valid_from=certified.valid_from,
        valid_until=certified.valid_until,
        signatories=[CertifiedSignatory(**vars(each)) for each in certified.signatories],
        products=[CertifiedProduct(**vars(each)) for each in certified.products],
        acts=[CertifiedAct(act=each.act, at=each.at, reason=each.reason, user_id=each.user_id) for each in acts],
        version=certified.version,
    )


def certified_changed(certified: CertifiedExporter, work: Work) -> CertifiedExporterChanged:
    """The event for the public check: no name of a person or of goods."""
    return CertifiedExporterChanged(
        exporter_id=certified.exporter_id,
        code=certified.code,
        status=certified.status,
        valid_from=certified.valid_from,
        valid_until=certified.valid_until,
        withdrawn_on=certified.withdrawn_on,
        suspensions=[Period(**vars(each)) for each in certified.suspensions],
        signatories=[
            DatedDigest(digest=digest_of_name(certified.code, each.name), since=each.since, until=each.until)
            for each in certified.signatories
        ],
        goods=[
            DatedGoods(subheading=each.hs_code[:SUBHEADING], since=each.since, until=each.until) for each in certified.products
        ],
        version=certified.version,
        occurred_at=work.now,
    )
