"""The rules of fees: the price of a certificate by the tariff of its day, and its settlement. Money is whole riel.

Source: Joint Prakas 315 (tariff), Joint Announcement 1217 (Export Management Fee); what is our own decision says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from shared.refusals import Refused

IN_PIECES = {"PCS": ("PCS", 1), "SET": ("PCS", 1), "DZN": ("PCS", 12), "PRS": ("PRS", 1), "DPR": ("PRS", 12)}
"""Units in pieces or pairs (ours): a dozen counts twelve, a set counts one."""


class InvoiceNotFound(Refused):
    code = "invoice_not_found"


class AlreadySettled(Refused):
    code = "fee_already_settled"


class AmountDiffers(Refused):
    code = "payment_amount_differs"


class SlipUsed(Refused):
    code = "slip_already_used"


class PaidInFuture(Refused):
    code = "payment_in_future"


@dataclass(frozen=True, kw_only=True)
class Goods:
    """What the tariff needs of one item."""

    hs_code: str
    handicraft: bool
    quantity: Decimal
    unit: str


@dataclass(frozen=True)
class Line:
    """One line of an invoice and its legal source."""

    text: str
    amount_khr: int
    source: str


@dataclass(frozen=True, kw_only=True)
class GoodsClass:
    """Goods with the same fee, by handicraft flag or HS prefix. `unit`: the unit of their quantity."""

    name: str
    handicraft: bool = False
    hs_prefixes: Sequence[str] = ()
    unit: str | None = None
    remark: str | None = None

    def holds(self, goods: Goods) -> bool:
        """Whether these goods belong to the class."""
        return (self.handicraft and goods.handicraft) or any(map(goods.hs_code.startswith, self.hs_prefixes))


@dataclass(frozen=True)
class Row:
    """A fee for a class of goods above a quantity. `fee_khr` is by form; `*` stands for every other form."""

    goods_class: str
    above: Decimal
    fee_khr: Mapping[str, int]


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
        above = f" over {row.above:f} {goods_class.unit}" if row.above else ""
        remark = f" ({goods_class.remark})" if goods_class.remark else ""
        amount = row.fee_khr.get(form, row.fee_khr["*"])
        return Line(f"Certificate of origin, form {form}: {goods_class.name}{above}{remark}", amount, self.source)


def _counted(goods: Goods, unit: str | None) -> Decimal | None:
    if unit is None:
        return goods.quantity
    counted_in, times = IN_PIECES.get(goods.unit, (None, 1))
    return goods.quantity * times if counted_in == unit else None


@dataclass(eq=False, kw_only=True)
class Invoice:
    """The price of a certificate and the payments. A later submission is assessed again; payments stay.

    `agent_id`: the agent that drafted the certificate, if an agent did.
    """

    certificate_id: UUID
    exporter_id: UUID
    submission: int = 0
    lines: list[Line] = field(default_factory=list)
    paid_khr: int = 0
    settled_submission: int = 0
    version: int = 0
    agent_id: UUID | None = None

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

    def was_begun_by(self, agent_id: UUID | None) -> None:
        """Keeps the agent that drafted the certificate. An event without an agent changes nothing."""
        self.agent_id = self.agent_id or agent_id

    def assess(self, submission: int, lines: list[Line]) -> bool:
        """Assesses the fee of a submission. Returns False, and changes nothing, for an older or the same submission."""
        if submission <= self.submission:
            return False
        self.submission = submission
        self.lines = lines
        self.version += 1
        return True

    def pay(self, amount_khr: int) -> None:
        """The amount owed is paid in one sum."""
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
