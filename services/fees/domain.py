"""The rules of fees: the price of a certificate by the tariff of its day, and its settlement. Money is whole riel.

Source: Joint Prakas 315 (tariff), Joint Announcement 1217 (Export Management Fee); what is our own decision says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from shared.refusals import Refused

IN_PIECES = {"PCS": ("PCS", 1), "SET": ("PCS", 1), "DZN": ("PCS", 12), "PRS": ("PRS", 1), "DPR": ("PRS", 12)}
"""Units in pieces or pairs (ours): a dozen counts twelve, a set counts one."""

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The alphabet of payment references: base32 without I, L, O and U, which look like others."""
REFERENCE_LENGTH = 10
MISREAD = str.maketrans("OIL", "011", " -")
"""What people write in place of a digit, and what they leave in between."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""When an invoice of a former release counts as assessed, which stored no instant."""


class InvoiceNotFound(Refused):
    code = "invoice_not_found"


class AlreadySettled(Refused):
    code = "fee_already_settled"


class AmountDiffers(Refused):
    code = "payment_amount_differs"


class SlipUsed(Refused):
    code = "slip_already_used"


class SlipRecorded(Refused):
    code = "slip_already_recorded"


class PaidInFuture(Refused):
    code = "payment_in_future"


class InvoiceClosed(Refused):
    code = "invoice_closed"


class NoTariff(Refused):
    code = "no_tariff_in_force"


@dataclass(frozen=True, kw_only=True)
class Goods:
    """What the tariff needs of one item."""

    hs_code: str
    handicraft: bool
    quantity: Decimal
    unit: str


@dataclass(frozen=True)
class Line:
    """One line of an invoice and its legal source. `text_km`: empty in an invoice of a former release."""

    text: str
    amount_khr: int
    source: str
    text_km: str = ""


@dataclass(frozen=True)
class Row:
    """A fee for a class of goods above a quantity. `fee_khr` is by form; `*` stands for every other form."""

    goods_class: str
    above: Decimal
    fee_khr: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class GoodsClass:
    """Goods with the same fee, by handicraft flag or HS prefix. `unit`: the unit of their quantity."""

    name: str
    name_km: str
    handicraft: bool = False
    hs_prefixes: Sequence[str] = ()
    unit: str | None = None
    remark: str | None = None
    remark_km: str | None = None

    def holds(self, goods: Goods) -> bool:
        """Whether these goods belong to the class."""
        return (self.handicraft and goods.handicraft) or any(map(goods.hs_code.startswith, self.hs_prefixes))

    def in_words(self, row: Row) -> str:
        """The goods of one row of the tariff."""
        above = f" over {row.above:f} {self.unit}" if row.above else ""
        return f"{self.name}{above}{f' ({self.remark})' if self.remark else ''}"

    def in_khmer(self, row: Row) -> str:
        """The goods of one row of the tariff, in Khmer."""
        above = f" លើសពី {row.above:f} {self.unit}" if row.above else ""
        return f"{self.name_km}{above}{f' ({self.remark_km})' if self.remark_km else ''}"


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """The fees in force from a day on. Classes are tried in order."""

    effective_from: date
    source: str
    classes: Sequence[GoodsClass]
    rows: Sequence[Row]
    also_shown: Sequence[Line]

    def assess(self, form: str, goods: Sequence[Goods]) -> list[Line]:
        """The lines of the invoice: one fee, that of the highest row that applies, and the lines that are only shown.

        Quantities are added up by class. A quantity in another unit than its class is charged by the upper row.
        """
        quantities: dict[GoodsClass, Decimal | None] = {}
        for item in goods:
            goods_class = next(kind for kind in self.classes if kind.holds(item))
            counted, so_far = _counted(item, goods_class.unit), quantities.get(goods_class, Decimal(0))
            quantities[goods_class] = None if counted is None or so_far is None else so_far + counted
        lines = [self._line(form, goods_class, quantity) for goods_class, quantity in quantities.items()]
        return [max(lines, key=lambda line: line.amount_khr), *self.also_shown]

    def _line(self, form: str, goods_class: GoodsClass, quantity: Decimal | None) -> Line:
        rows = [row for row in self.rows if row.goods_class == goods_class.name]
        row = max((row for row in rows if quantity is None or quantity > row.above), key=lambda row: row.above)
        amount = row.fee_khr.get(form, row.fee_khr["*"])
        text = f"Certificate of origin, form {form}: {goods_class.in_words(row)}"
        text_km = f"វិញ្ញាបនបត្របញ្ជាក់ដើមកំណើតទំនិញ ទម្រង់ {form}៖ {goods_class.in_khmer(row)}"
        return Line(text, amount, self.source, text_km)

    def rows_in_words(self) -> list[tuple[str, str, Mapping[str, int]]]:
        """The goods of each row in English and Khmer, and their fee by form."""
        classes = {goods_class.name: goods_class for goods_class in self.classes}
        both = [(classes[row.goods_class], row) for row in self.rows]
        return [(kind.in_words(row), kind.in_khmer(row), row.fee_khr) for kind, row in both]


def _counted(goods: Goods, unit: str | None) -> Decimal | None:
    if unit is None:
        return goods.quantity
    counted_in, times = IN_PIECES.get(goods.unit, (None, 1))
    return goods.quantity * times if counted_in == unit else None


def payment_reference_of(certificate_id: UUID, attempt: int = 0) -> str:
    """The payment reference of a certificate, in its stored form without the dash.

    It is the first 50 bits of the SHA-256 of the certificate's id and one byte, the attempt, as ten characters of Crockford's
    base32. So it reveals no id, and the same certificate always gets the same one. Another attempt is needed only if
    another certificate has that reference: about one case in a thousand years of a million certificates.
    """
    bits = int.from_bytes(sha256(certificate_id.bytes + bytes([attempt])).digest()) >> (256 - 5 * REFERENCE_LENGTH)
    return "".join(CROCKFORD[bits >> 5 * place & 31] for place in reversed(range(REFERENCE_LENGTH)))


def beginning_of_reference(search: str) -> str | None:
    """The beginning of a payment reference that a person typed, in its stored form; None if it cannot be one."""
    typed = search.upper().translate(MISREAD)
    return typed if 0 < len(typed) <= REFERENCE_LENGTH and set(typed) <= set(CROCKFORD) else None


@dataclass(eq=False, kw_only=True)
class Invoice:
    """The price of a certificate and the payments. A later submission is assessed again; payments stay.

    `agent_id`: the agent that drafted the certificate, if an agent did. `assessed_on`: the legal date of the tariff.
    `closed_submission`: the last submission that was withdrawn or rejected. It can be known before that submission itself.
    """

    certificate_id: UUID
    exporter_id: UUID
    submission: int = 0
    lines: list[Line] = field(default_factory=list)
    paid_khr: int = 0
    settled_submission: int = 0
    version: int = 0
    agent_id: UUID | None = None
    payment_reference: str | None = None
    assessed_on: date | None = None
    assessed_at: datetime = LONG_AGO
    closed_submission: int = 0

    @property
    def amount_khr(self) -> int:
        """The price of the certificate."""
        return sum(line.amount_khr for line in self.lines)

    @property
    def owed_khr(self) -> int:
        """What is still to be paid."""
        return max(0, self.amount_khr - self.paid_khr)

    @property
    def is_settled(self) -> bool:
        """Whether the present submission is settled."""
        return 0 < self.submission == self.settled_submission

    @property
    def is_closed(self) -> bool:
        """Whether the present submission was withdrawn or rejected."""
        return 0 < self.submission <= self.closed_submission

    @property
    def shown_reference(self) -> str | None:
        """The payment reference as the payer names it: two groups of five characters, such as `7KQ2M-9XT4F`."""
        return self.payment_reference and f"{self.payment_reference[:5]}-{self.payment_reference[5:]}"

    def was_begun_by(self, agent_id: UUID | None) -> None:
        """Keeps the agent that drafted the certificate. An event without an agent changes nothing."""
        self.agent_id = self.agent_id or agent_id

    def assess(self, submission: int, lines: list[Line], *, on: date, at: datetime) -> bool:
        """Assesses the fee of a submission. Returns False, and changes nothing, for an older or the same submission."""
        if submission <= self.submission:
            return False
        self.submission = submission
        self.lines = lines
        self.assessed_on = on
        self.assessed_at = at
        self.version += 1
        return True

    def close(self, submission: int) -> bool:
        """A submission was withdrawn or rejected. Returns False if this changes nothing for the payer."""
        was_closed = self.is_closed
        self.closed_submission = max(self.closed_submission, submission)
        if was_closed or not self.is_closed:
            return False
        self.version += 1
        return True

    def pay(self, amount_khr: int) -> None:
        """The amount owed is paid in one sum."""
        if self.is_closed:
            raise InvoiceClosed("certificate_id")
        if self.is_settled:
            raise AlreadySettled("certificate_id")
        if amount_khr != self.owed_khr:
            raise AmountDiffers("amount_khr", owed=f"{self.owed_khr:,}", paid=f"{amount_khr:,}")
        self.paid_khr += amount_khr
        self.version += 1

    def settle(self) -> bool:
        """Settles the submission if nothing is owed. Returns True once per submission."""
        if self.is_settled or self.owed_khr > 0:
            return False
        self.settled_submission = self.submission
        return True
