"""Queries for certificates, their acts and their settlements."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, and_, bindparam, event, exists, select, union
from sqlalchemy.orm.attributes import get_history

from services.certificates.domain.certificate import Certificate, CertificateNotFound
from services.certificates.domain.consignment import Consignment
from services.certificates.domain.life_cycle import Status
from services.certificates.store.documents import issued
from services.certificates.store.tables import certificate_acts, certificates, consignee_names, settlements
from shared.contracts.certificates.content import CertificateAct
from shared.database.upserts import upsert
from shared.handling.work import Work

LAST_DAYS = timedelta(days=7)
"""How long two releases may run beside each other."""

_SETTLED = select(
    exists().where(
        settlements.c.certificate_id == bindparam("certificate_id"), settlements.c.submission == bindparam("submission")
    )
)


async def certificate_by_id(work: Work, certificate_id: UUID) -> Certificate:
    """The certificate, locked in a command. Raises CertificateNotFound."""
    found = await find_certificate(work, certificate_id)
    if found is None:
        raise CertificateNotFound("certificate_id", certificate=certificate_id)
    return found


async def find_certificate(work: Work, certificate_id: UUID) -> Certificate | None:
    """The certificate, or None."""
    return await work.session.get(Certificate, certificate_id, with_for_update=work.may_write)


async def approved_of(work: Work, exporter_id: UUID) -> Sequence[Certificate]:
    """The certificates of an exporter that are approved and not yet issued."""
    mine = and_(certificates.c.exporter_id == exporter_id, certificates.c.status == Status.APPROVED)
    return (await work.session.scalars(select(Certificate).where(mine))).all()


async def replacement_under_way(work: Work, certificate_id: UUID) -> bool:
    """Whether another certificate that is not ended replaces this one."""
    c, ended = certificates.c, (Status.REJECTED, Status.DISCARDED, Status.CANCELLED)
    return bool(await work.session.scalar(select(exists().where(c.replaces_id == certificate_id, c.status.not_in(ended)))))


async def record_settlement(work: Work, certificate_id: UUID, submission: int) -> None:
    """Keeps that a submission is settled. The certificate may arrive afterwards."""
    row = {"certificate_id": certificate_id, "submission": submission}
    await work.insert_new(settlements, [row])


async def is_settled(work: Work, certificate: Certificate) -> bool:
    """Whether the present submission is settled."""
    this = {"certificate_id": certificate.certificate_id, "submission": certificate.submission}
    return bool(await work.session.scalar(_SETTLED, this))


async def keep_act(work: Work, certificate_id: UUID, act: CertificateAct) -> None:
    """Keeps an act on a certificate."""
    await work.insert_new(certificate_acts, [{"certificate_id": certificate_id, **dict(act)}])


async def acts_of(work: Work, certificate_id: UUID, before: int | None, limit: int) -> tuple[list[CertificateAct], int | None]:
    """The acts on a certificate before a version, latest first, and the version to continue before."""
    columns = [column for column in certificate_acts.c if column.name != "certificate_id"]
    wanted = select(*columns).where(certificate_acts.c.certificate_id == certificate_id)
    if before is not None:
        wanted = wanted.where(certificate_acts.c.version < before)
    rows = (await work.session.execute(wanted.order_by(certificate_acts.c.version.desc()).limit(limit + 1))).all()
    found = [CertificateAct.model_validate(dict(row._mapping)) for row in rows[:limit]]
    return found, found[-1].version if len(rows) > limit else None


@event.listens_for(Certificate, "before_insert")
@event.listens_for(Certificate, "before_update")
def describe_consignment(mapper: Any, connection: Any, certificate: Any) -> None:
    """Sets the columns that repeat the consignment, so that a list reads no items, and keeps the name of a new consignee."""
    for column, value in columns_of(certificate.consignment).items():
        setattr(certificate, column, value)
    if get_history(certificate, "search").added:
        connection.execute(_keeping_name(connection.dialect.name), {"search": certificate.search})


@cache
def _keeping_name(dialect: str) -> Executable:
    return upsert(dialect, consignee_names).on_conflict_do_nothing()


async def keep_recent_names(work: Work) -> None:
    """Keeps the names of consignees that a replica of the former release has stored: that one does not keep them."""
    recent = select(certificates.c.search).where(certificates.c.drafted_at > work.now - LAST_DAYS)
    known = exists().where(consignee_names.c.search == certificates.c.search)
    names = set(await work.session.scalars(recent.where(~known)))  # DISTINCT would read all certificates by name
    await work.insert_new(consignee_names, [{"search": name} for name in names])


def columns_of(consignment: Consignment) -> dict[str, Any]:
    """The columns that repeat a consignment."""
    return {
        "destination": consignment.destination,
        "consignee": consignment.consignee_name,
        "consignee_address": consignment.consignee_address,
        "port_of_discharge": consignment.port_of_discharge,
        "departure_date": consignment.departure_date,
        "item_count": len(consignment.items),
        "search": consignment.consignee_name.lower(),
    }


submitted = select(certificates.c.certificate_id).where(certificates.c.submission > 0)
handed_in = union(submitted, issued)
no_drafts = select(certificates.c.certificate_id).where(certificates.c.status != Status.DRAFT)
settled = select(settlements.c.certificate_id).distinct()
