"""The tables of certificates: products, certificates, documents, numbers, and facts that other services announced."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Boolean, Column, Date, Integer, MetaData, String, Table, Text, Uuid, and_, exists, func, select, union
from sqlalchemy.orm import registry

from services.certificates.domain.certificate import Certificate, CertificateNotFound, Consignment, Status, number_of
from services.certificates.domain.exporter import Exporter, Mandate, Standing
from services.certificates.domain.form import Criterion
from services.certificates.domain.product import Product, ProductNotFound, ProductStatus
from shared.contracts.certificates.documents import FormD
from shared.database.column_types import EnumText, JsonOf
from shared.database.upserts import add_one, raise_to
from shared.handling.work import Work

TABLES = MetaData()

exporters = Table(
    "exporters",
    TABLES,
    Column("exporter_id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("address", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("version", Integer, nullable=False),
)

standings = Table(
    "standings",
    TABLES,
    Column("exporter_id", Uuid, primary_key=True),
    Column("standing", EnumText(Standing), nullable=False),
    Column("version", Integer, nullable=False),
)

mandates = Table(
    "mandates",
    TABLES,
    Column("mandate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False),
    Column("agent_id", Uuid, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("version", Integer, nullable=False),
)

products = Table(
    "products",
    TABLES,
    Column("product_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False, index=True),
    Column("description", Text, nullable=False),
    Column("hs_code", String(11), nullable=False),
    Column("criterion", JsonOf(Criterion), nullable=False),
    Column("handicraft", Boolean, nullable=False),
    Column("status", EnumText(ProductStatus), nullable=False),
    Column("decided_by", Uuid),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
)

certificates = Table(
    "certificates",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False, index=True),
    Column("agent_id", Uuid),
    Column("form", String(8), nullable=False),
    Column("office", String(5), nullable=False),
    Column("consignment", JsonOf(Consignment), nullable=False),
    Column("status", EnumText(Status), nullable=False, index=True),
    Column("submission", Integer, nullable=False),
    Column("submitted_on", Date),
    Column("remarks", Text),
    Column("worksheet", Text),
    Column("reviewed_by", Uuid),
    Column("approved_by", Uuid),
    Column("held_because", String(64)),
    Column("reference", String(32), unique=True),
    Column("issued_on", Date),
    Column("valid_until", Date),
    Column("issued_retroactively", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
)

documents = Table(
    "documents",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False),
    Column("form", String(8), nullable=False),
    Column("reference", String(32), nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("agent_id", Uuid),
)

numbers = Table(
    "numbers",
    TABLES,
    Column("office", String(5), primary_key=True),
    Column("form", String(8), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

settlements = Table(
    "settlements",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("submission", Integer, primary_key=True),
)

_mapping = registry(metadata=TABLES)
_mapping.map_imperatively(Product, products)
_mapping.map_imperatively(Certificate, certificates)


@dataclass(frozen=True, kw_only=True)
class Document:
    """The document of an issued certificate as it was sent. `agent_id`: the agent that drafted the certificate, if any."""

    certificate_id: UUID
    exporter_id: UUID
    form: str
    body: FormD
    version: int
    agent_id: UUID | None = None


async def certificate_by_id(work: Work, certificate_id: UUID) -> Certificate:
    """The certificate, locked in a command. Raises CertificateNotFound."""
    found = await find_certificate(work, certificate_id)
    if found is None:
        raise CertificateNotFound("certificate_id", certificate=certificate_id)
    return found


async def find_certificate(work: Work, certificate_id: UUID) -> Certificate | None:
    """The certificate, or None."""
    return await work.session.get(Certificate, certificate_id, with_for_update=work.may_write)


async def product_by_id(work: Work, product_id: UUID) -> Product:
    """The product. Raises ProductNotFound."""
    return require_product(await find_product(work, product_id), product_id, "product_id")


def require_product(found: Product | None, product_id: UUID, field: str) -> Product:
    """The product found. Raises ProductNotFound, naming the field of the request."""
    if found is None:
        raise ProductNotFound(field, product=product_id)
    return found


async def find_product(work: Work, product_id: UUID) -> Product | None:
    """The product, or None."""
    return await work.session.get(Product, product_id, with_for_update=work.may_write)


async def products_by_ids(work: Work, product_ids: set[UUID]) -> dict[UUID, Product]:
    """The products with these ids that exist, not locked."""
    found = await work.session.scalars(select(Product).where(products.c.product_id.in_(product_ids)))
    return {product.product_id: product for product in found}


async def find_exporter(work: Work, exporter_id: UUID) -> Exporter | None:
    """The exporter, or None before its first approval arrives."""
    joined = exporters.outerjoin(standings, standings.c.exporter_id == exporters.c.exporter_id)
    columns = (*exporters.c, standings.c.standing)
    row = (
        await work.session.execute(select(*columns).select_from(joined).where(exporters.c.exporter_id == exporter_id))
    ).first()
    return None if row is None else Exporter(**{**row._mapping, "standing": row.standing or Standing.ACTIVE})


async def keep_exporter(work: Work, exporter: Exporter) -> None:
    """Keeps an approval unless a later one is known."""
    row = {name: value for name, value in vars(exporter).items() if name != "standing"}
    await work.insert_newer(exporters, row)


async def keep_standing(work: Work, exporter_id: UUID, standing: Standing, version: int) -> None:
    """Keeps the state of a registration unless a later one is known. The approval may arrive afterwards."""
    row = {"exporter_id": exporter_id, "standing": standing, "version": version}
    await work.insert_newer(standings, row)


async def keep_mandate(work: Work, mandate: Mandate) -> None:
    """Keeps a mandate that was granted."""
    await work.insert_newer(mandates, vars(mandate))


async def find_mandate(work: Work, mandate_id: UUID) -> Mandate | None:
    """The mandate, or None before it arrives."""
    row = (await work.session.execute(select(mandates).where(mandates.c.mandate_id == mandate_id))).first()
    return None if row is None else Mandate(**row._mapping)


async def approved_of(work: Work, exporter_id: UUID) -> Sequence[Certificate]:
    """The certificates of an exporter that are approved and not yet issued."""
    mine = and_(certificates.c.exporter_id == exporter_id, certificates.c.status == Status.APPROVED)
    return (await work.session.scalars(select(Certificate).where(mine))).all()


async def record_settlement(work: Work, certificate_id: UUID, submission: int) -> None:
    """Keeps that a submission is settled. The certificate may arrive afterwards."""
    row = {"certificate_id": certificate_id, "submission": submission}
    await work.insert_new(settlements, [row])


async def is_settled(work: Work, certificate: Certificate) -> bool:
    """Whether the present submission is settled."""
    this = and_(settlements.c.certificate_id == certificate.certificate_id, settlements.c.submission == certificate.submission)
    return bool(await work.session.scalar(select(exists().where(this))))


async def keep_document(work: Work, document: Document) -> None:
    """Keeps the document of an issued certificate as it was sent."""
    row = vars(document) | {"body": document.body.model_dump_json(), "reference": document.body.reference}
    await work.insert_new(documents, [row])


async def find_document(work: Work, certificate_id: UUID) -> Document | None:
    """The document of an issued certificate, or None."""
    begun_by = func.coalesce(documents.c.agent_id, certificates.c.agent_id)  # older documents do not name the agent
    known = documents.outerjoin(certificates, certificates.c.certificate_id == documents.c.certificate_id)
    this = select(documents, begun_by.label("begun_by")).select_from(known).where(documents.c.certificate_id == certificate_id)
    row = (await work.session.execute(this)).first()
    if row is None:
        return None
    body = FormD.model_validate_json(row.body)
    return Document(
        certificate_id=row.certificate_id,
        exporter_id=row.exporter_id,
        form=row.form,
        body=body,
        version=row.version,
        agent_id=row.begun_by,
    )


async def next_serial(work: Work, office: str, form: str, year: int) -> int:
    """The next serial number of an office, form and year. It is gap-free, because the same transaction takes and uses it."""
    key = {"office": office, "form": form, "year": year}
    return await add_one(work.session, numbers, key, "last")


async def skip_numbers_up_to(work: Work, reference: str) -> None:
    """Recovery: this number was given, so the next one is above it."""
    form, year, office, serial = number_of(reference)
    key = {"office": office, "form": form, "year": year}
    await raise_to(work.session, numbers, key, "last", serial)


submitted = select(certificates.c.certificate_id).where(certificates.c.submission > 0)
issued = select(documents.c.certificate_id)
numbered = select(documents.c.reference)
handed_in = union(submitted, issued)
settled = select(settlements.c.certificate_id).distinct()
known_exporters = select(exporters.c.exporter_id)
known_mandates = select(mandates.c.mandate_id)
suspended_exporters = select(standings.c.exporter_id).where(standings.c.standing == Standing.SUSPENDED)
expired_exporters = select(standings.c.exporter_id).where(standings.c.standing == Standing.EXPIRED)
